//! Building plugins, and folders to put them in.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use kubectl_pivot_plugin_api::ClusterRequest;
use plugin_host::{CallError, Origin, Plugin, Registry, SearchFolder, SearchPath, trust};
use tempfile::TempDir;

/// Builds a plugin and returns its library.
fn build(arguments: &[&str]) -> PathBuf {
    build_with(Command::new(env!("CARGO")), &[&["build"], arguments].concat())
}

/// Runs cargo in the workspace, with another toolchain, command or environment, and returns the
/// library.
pub(crate) fn build_with(mut cargo: Command, arguments: &[&str]) -> PathBuf {
    let (command, arguments) = arguments.split_first().expect("a command of cargo");
    cargo.args([command, "--message-format=json", "--quiet", "--locked"]).args(arguments);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    made_by(cargo)
}

/// Runs cargo, whose messages are in JSON, and returns the library or the program that it makes.
pub(crate) fn made_by(mut cargo: Command) -> PathBuf {
    let output = cargo.output().expect("cargo and rustup are installed: https://rustup.rs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut files = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        if let Some(program) = message["executable"].as_str() {
            return Some(PathBuf::from(program));
        }
        let files = message["filenames"].as_array()?.clone();
        files.iter().filter_map(|file| file.as_str().map(PathBuf::from)).find(|file| {
            file.extension().is_some_and(|e| e == std::env::consts::DLL_EXTENSION)
                && !file.to_string_lossy().contains("_derive")
                && !file.to_string_lossy().contains("_macros")
        })
    });
    files.next_back().expect("a library or a program was built")
}

/// The fixture `versions`, as of another time, in a folder. It is built once; of
/// which time it is stands in two digits for each number in the bytes of its library.
pub(crate) fn of_another_time(folder: &Folder, abi_level: &str, protocol: &str) -> PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    let built =
        LIBRARY.get_or_init(|| build(&["-p", "kubectl-pivot-fixtures", "--example", "versions"]));
    let mut bytes = fs::read(built).expect("it was just built");
    let (present, wanted) =
        (b"versions: abi 01 api 01.00", format!("versions: abi {abi_level} api {protocol}"));
    assert_eq!(wanted.len(), present.len(), "{wanted}");
    let at: Vec<_> =
        (0..bytes.len() - present.len()).filter(|&at| bytes[at..].starts_with(present)).collect();
    assert!(!at.is_empty(), "the example does not say of which time it is");
    for at in at {
        bytes[at..at + present.len()].copy_from_slice(wanted.as_bytes());
    }
    folder.put("versions", &bytes)
}

pub(crate) fn docker() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| build(&["-p", "kubectl-pivot-plugin-docker"]))
}

pub(crate) fn misbehaving() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| build(&["-p", "kubectl-pivot-fixtures", "--example", "misbehaving"]))
}

/// A folder with plugins, in which nobody else can write.
pub(crate) struct Folder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        set_mode(folder.path(), 0o755);
        Self { path: folder.path().to_owned(), _temporary: Some(folder) }
    }

    /// A folder that is there.
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), _temporary: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
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
        Registry::scan(&search, Some(self.path()))
    }
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

pub(crate) fn render(plugin: &Plugin, name: &str) -> Result<usize, CallError> {
    let infrastructure = plugin.infrastructure()?;
    infrastructure.render(&ClusterRequest::named(name)).map(|manifests| manifests.objects.len())
}
