//! Building plugins, and folders to put them in.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use kubectl_pivot_plugin_api::ClusterRequest;
use kubectl_pivot_plugin_host::{
    CallError, Origin, Plugin, Registry, SearchFolder, SearchPath, trust,
};
use tempfile::TempDir;

/// Builds a plugin and returns its library.
fn build(arguments: &[&str]) -> PathBuf {
    build_with(Command::new(env!("CARGO")), &[&["build"], arguments].concat())
}

/// Runs cargo with another toolchain, command or environment, and returns the library that it makes.
pub(crate) fn build_with(mut cargo: Command, arguments: &[&str]) -> PathBuf {
    let (command, arguments) = arguments.split_first().expect("a command of cargo");
    let output = cargo
        .args([command, "--message-format=json", "--quiet", "--locked"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo and rustup are installed: https://rustup.rs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut files = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let files = message["filenames"].as_array()?.clone();
        files.iter().filter_map(|file| file.as_str().map(PathBuf::from)).find(|file| {
            file.extension().is_some_and(|e| e == std::env::consts::DLL_EXTENSION)
                && !file.to_string_lossy().contains("_derive")
                && !file.to_string_lossy().contains("_macros")
        })
    });
    files.next_back().expect("a library was built")
}

/// The example `versions` of the plugin API, as of another time, in a folder. One file is made of each
/// build, so they are made one after the other.
pub(crate) fn of_another_time(folder: &Folder, abi_level: &str, protocol: &str) -> PathBuf {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.env("VERSIONS_ABI_LEVEL", abi_level).env("VERSIONS_PROTOCOL", protocol);
    let example = ["build", "-p", "kubectl-pivot-plugin-api", "--example", "versions"];
    folder.install(&build_with(cargo, &example), "versions")
}

pub(crate) fn docker() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| build(&["-p", "kubectl-pivot-plugin-docker"]))
}

pub(crate) fn misbehaving() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| build(&["-p", "kubectl-pivot-plugin-api", "--example", "misbehaving"]))
}

/// A folder with plugins, in which nobody else can write.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        set_mode(folder.path(), 0o755);
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(format!("lib{name}.{}", std::env::consts::DLL_EXTENSION));
        // A new file, because the old one may be mapped into this process.
        drop(fs::remove_file(&path));
        fs::write(&path, bytes).expect("the folder is ours");
        set_mode(&path, 0o755);
        path
    }

    pub(crate) fn install(&self, library: &Path, name: &str) -> PathBuf {
        self.put(name, &fs::read(library).expect("it was just built"))
    }

    pub(crate) fn trust(&self, path: &Path) {
        trust(path, self.path()).expect("it is a plugin");
    }

    pub(crate) fn scan(&self) -> Registry {
        self.scan_with(&[(self.path(), Origin::User)])
    }

    pub(crate) fn scan_with(&self, folders: &[(&Path, Origin)]) -> Registry {
        let folder = |&(path, origin): &(&Path, Origin)| SearchFolder { path: path.into(), origin };
        let search = SearchPath { folders: folders.iter().map(folder).collect() };
        Registry::scan(&search, Some(self.path())).expect("the locks are readable")
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

pub(crate) fn render(plugin: &Plugin, name: &str) -> Result<usize, CallError> {
    let infrastructure = plugin.infrastructure()?;
    infrastructure.render(&ClusterRequest::named(name)).map(|manifests| manifests.objects.len())
}
