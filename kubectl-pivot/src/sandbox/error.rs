//! What can fail in the sandbox, and what to do about it.

use std::path::PathBuf;

use super::part::Part;

/// A part of the sandbox could not be found or made.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    /// The folder that the user named does not hold the part.
    #[error("{part} is not in the assets folder {}", dir.display())]
    NotInAssets {
        /// What was looked for.
        part: Part,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// Neither found nor buildable, as there is no `go` on the PATH.
    #[error(
        "{what} is missing (looked in {}) and there is no `go` to build it with",
        places(looked_in)
    )]
    Missing {
        /// Part and version.
        what: String,
        /// The files that were looked for, in order.
        looked_in: Vec<PathBuf>,
    },
    /// The Go toolchain is older than the modules need and could not fetch a newer one.
    #[error("the installed Go is too old to build {what}: {message}")]
    GoTooOld {
        /// Part and version.
        what: String,
        /// What `go` said.
        message: String,
    },
    /// `go` ran and failed.
    #[error("`go {command}` failed for {what}: {stderr}")]
    Go {
        /// Part and version.
        what: String,
        /// The subcommand, for example `build`.
        command: &'static str,
        /// The last lines that it wrote to its standard error.
        stderr: String,
    },
    /// `go mod download` succeeded with an answer that cannot be used.
    #[error("`go mod download` gave no folder for module {module}")]
    ModuleFolder {
        /// Path of the Go module.
        module: &'static str,
    },
    /// The user has no cache folder (no `HOME`).
    #[error("there is no cache folder: neither KUBECTL_PIVOT_CACHE_DIR nor HOME is set")]
    NoCacheFolder,
    /// A file of the cache could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, for example `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A CRD file is not what it should be.
    #[error("{} is not a CustomResourceDefinition: {message}", path.display())]
    Crd {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl PartsError {
    /// What the user can do about it, if anything is known to help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInAssets { .. } => Some(
                "name a folder that holds `etcd` and `kube-apiserver`, or leave the option out to have them built"
                    .into(),
            ),
            Self::Missing { .. } | Self::GoTooOld { .. } => Some(
                "install Go 1.26 (https://go.dev/dl) and run the command again, \
                 or set KUBEBUILDER_ASSETS to a folder that holds `etcd` and `kube-apiserver`"
                    .into(),
            ),
            Self::Go { .. } | Self::ModuleFolder { .. } => Some(
                "check that the Go module proxy can be reached (`go env GOPROXY`) and that the disk is not full; \
                 running the command again continues where it stopped"
                    .into(),
            ),
            Self::NoCacheFolder => Some("set KUBECTL_PIVOT_CACHE_DIR to a folder of yours".into()),
            Self::File { .. } => Some(
                "check permissions and free space, or set KUBECTL_PIVOT_CACHE_DIR to another folder".into(),
            ),
            Self::Crd { path, .. } => path
                .parent()
                .map(|dir| format!("delete {} and run the command again", dir.display())),
        }
    }

    /// For `map_err` on file operations in the cache.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

fn places(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// A control plane could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ControlPlaneError {
    /// A part was missing or its files were unusable.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A file of the control plane could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, for example `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No free port, or no loopback interface.
    #[error("cannot find a free port on 127.0.0.1")]
    Port(#[source] std::io::Error),
    /// Certificates or keys could not be made.
    #[error("cannot make certificates for the control plane")]
    Certificates(#[from] rcgen::Error),
    /// A process could not be started at all.
    #[error("cannot run {program}")]
    Spawn {
        /// The part.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A process ended although it should have kept running.
    #[error("{program} stopped while starting: {log_tail} (log: {})", log.display())]
    Died {
        /// The part.
        program: String,
        /// Its log file.
        log: PathBuf,
        /// The last lines of the log.
        log_tail: String,
    },
    /// The API server did not become ready.
    #[error("{url} was not ready after {seconds} s, last seen: {last_seen} (log: {})", log.display())]
    NotReady {
        /// The API server.
        url: String,
        /// How long was waited.
        seconds: u64,
        /// The last answer.
        last_seen: String,
        /// Its log file.
        log: PathBuf,
    },
    /// The API server refused to do something needed for the set-up.
    #[error("cannot {action}: {message}")]
    Setup {
        /// What was tried, for example `create the CRD clusters.cluster.x-k8s.io`.
        action: String,
        /// What came back.
        message: String,
    },
}

impl ControlPlaneError {
    /// What the user can do about it, if anything is known to help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Parts(error) => error.hint(),
            Self::File { .. } => Some("check permissions and free space of that folder".into()),
            Self::Spawn { .. } => Some("check that the file is a program for this machine".into()),
            Self::Died { log, .. } | Self::NotReady { log, .. } => Some(format!(
                "read {}; a machine short of memory or disk is the usual reason",
                log.display()
            )),
            Self::Port(_) | Self::Certificates(_) | Self::Setup { .. } => None,
        }
    }

    /// For `map_err` on file operations in a control plane's folder.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// A named sandbox could not be started, found or ended.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Not a DNS label, or too long.
    #[error(
        "{name:?} is not a valid name of a sandbox: lower-case letters, digits and dashes, at most 40"
    )]
    InvalidName {
        /// The name.
        name: String,
    },
    /// One of that name runs.
    #[error("sandbox {name} is running already")]
    AlreadyRunning {
        /// The name.
        name: String,
    },
    /// Another process holds that name.
    #[error("sandbox {name} is being started or used by another process")]
    Busy {
        /// The name.
        name: String,
    },
    /// None of that name exists.
    #[error("there is no sandbox {name}{}", known_names(known))]
    NotFound {
        /// The name.
        name: String,
        /// Those that do exist.
        known: Vec<String>,
    },
    /// The user has no state folder (no `HOME`).
    #[error("there is no folder for sandboxes: neither KUBECTL_PIVOT_STATE_DIR nor HOME is set")]
    NoStateFolder,
    /// A file of a sandbox could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, for example `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The record of a sandbox is damaged or of a newer version.
    #[error("cannot understand {}: {message}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Processes survived even SIGKILL for seconds.
    #[error("processes of sandbox {name} do not end: {pids:?}")]
    WontEnd {
        /// The name.
        name: String,
        /// Their ids.
        pids: Vec<u32>,
    },
    /// A part could not be found or made.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// One of the clusters failed.
    #[error("cluster {name} of the sandbox failed")]
    Cluster {
        /// `source`, `target`, `cluster-3`, …
        name: String,
        /// How.
        source: ControlPlaneError,
    },
}

impl SandboxError {
    /// What the user can do about it, if anything is known to help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::AlreadyRunning { name } => Some(format!(
                "use it as it is (`kubectl pivot sandbox list`), end it with `kubectl pivot sandbox down --name {name}`, \
                 or choose another name"
            )),
            Self::Busy { name } => Some(format!("wait for the other process, or choose another name than {name}")),
            Self::NotFound { .. } => Some("`kubectl pivot sandbox list` shows what there is".into()),
            Self::NoStateFolder => Some("set KUBECTL_PIVOT_STATE_DIR to a folder of yours".into()),
            Self::File { .. } => {
                Some("check permissions and free space, or set KUBECTL_PIVOT_STATE_DIR to another folder".into())
            }
            Self::Record { path, .. } => Some(format!(
                "use the kubectl-pivot that made it, or end its processes and delete {}",
                path.parent().unwrap_or(path).display()
            )),
            Self::Parts(error) => error.hint(),
            Self::Cluster { source, .. } => source.hint(),
            Self::InvalidName { .. } | Self::WontEnd { .. } => None,
        }
    }

    /// For `map_err` on file operations in a sandbox's folder.
    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

fn known_names(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(", only {}", names.join(", ")) }
}
