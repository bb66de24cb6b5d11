//! The plugins of this workspace as libraries, and a user who has installed them.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::program::{Outcome, Program, profile};

/// The library of a plugin of this workspace, up to date.
///
/// # Panics
/// When it cannot be built.
pub fn library(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| crate::program::build(&["--lib", "--bin", "kubectl-pivot"]));
    let library = profile().join(file_name(name));
    assert!(library.exists(), "cargo has not built {}", library.display());
    library
}

/// A plugin that declares the probes which its environment holds.
///
/// # Panics
/// When it cannot be built.
pub fn probing() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        crate::program::build(&["--example", "probing"]);
    });
    profile().join(format!("examples/{DLL_PREFIX}probing{DLL_SUFFIX}"))
}

/// The plugin `in-memory` as it would be if its clusters could host a management cluster.
///
/// # Panics
/// When it cannot be built.
pub fn hosting() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        crate::program::build(&["--example", "hosting"]);
    });
    profile().join(format!("examples/{DLL_PREFIX}hosting{DLL_SUFFIX}"))
}

/// A plugin that misbehaves on demand: an example of the plugin API.
///
/// # Panics
/// When it cannot be built.
pub fn misbehaving() -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        crate::program::build(&["--example", "misbehaving"]);
    });
    profile().join(format!("examples/{DLL_PREFIX}misbehaving{DLL_SUFFIX}"))
}

/// The infrastructure plugin in Go, up to date: the example of the Go module, as its author builds
/// it.
///
/// # Panics
/// When it cannot be built.
pub fn in_go() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = profile().join("go/kubectl-pivot-plugin-docker-go");
        let mut go = Command::new("go");
        go.args(["build", "-o"]).arg(&program).arg("./examples/docker");
        go.env("GOWORK", "off").env("GOFLAGS", "-mod=readonly").env("CGO_ENABLED", "0");
        go.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-api/go"));
        let output = go.output().expect("Go is installed: https://go.dev/dl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        program
    })
}

/// The file name of a plugin's library.
pub fn file_name(name: &str) -> String {
    format!("{DLL_PREFIX}kubectl_pivot_plugin_{}{DLL_SUFFIX}", name.replace('-', "_"))
}

/// A user with folders of their own.
pub struct User {
    home: TempDir,
}

impl User {
    /// A user without plugins.
    ///
    /// # Panics
    /// When no folder can be created.
    #[expect(clippy::new_without_default, reason = "a folder on disk is no default value")]
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().expect("there is room for a folder") }
    }

    /// A user who has installed plugins.
    ///
    /// # Panics
    /// When they cannot be built or installed.
    pub async fn with(names: &[&str]) -> Self {
        let user = Self::new();
        user.install(&names.iter().map(|name| library(name)).collect::<Vec<_>>()).await;
        user
    }

    /// Installs libraries.
    ///
    /// # Panics
    /// When they are no plugins.
    pub async fn install(&self, libraries: &[PathBuf]) {
        let mut args = vec!["plugin".to_owned(), "install".to_owned()];
        args.extend(libraries.iter().map(|library| library.display().to_string()));
        self.run(&args).await.expect_success("plugin install");
    }

    /// Their home.
    pub fn home(&self) -> &std::path::Path {
        self.home.path()
    }

    /// The folder of their plugins.
    pub fn plugins(&self) -> PathBuf {
        self.home().join("data/kubectl-pivot/plugins")
    }

    /// `kubectl-pivot` of this user.
    pub fn program(&self) -> Program {
        let data = self.home().join("data").display().to_string();
        Program::kubectl_pivot(self.home()).env("XDG_DATA_HOME", &data)
    }

    /// Runs `kubectl-pivot` as this user.
    pub async fn run<A: AsRef<std::ffi::OsStr>>(&self, args: &[A]) -> Outcome {
        self.program().run(args).await
    }
}
