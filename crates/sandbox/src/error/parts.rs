//! Parts that cannot be found or made.

use std::path::PathBuf;

use super::FileError;
use crate::part::Part;
use crate::released::DownloadError;

/// A part of the sandbox could not be found or made.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    /// The folder that the user named does not hold the part.
    #[error("{part} is not in the assets folder {}", dir.display())]
    NotInAssets {
        /// The part that was looked for.
        part: Part,
        /// The place where it was looked for.
        dir: PathBuf,
    },
    /// Neither found nor buildable, as there is no `go` on the PATH.
    #[error(
        "{part} {} is missing (looked for {}) and cannot be built, because `go` is not installed",
        part.version(),
        places(looked_in)
    )]
    Missing {
        /// The part.
        part: Part,
        /// The files that were looked for, in order.
        looked_in: Vec<PathBuf>,
    },
    /// Not in the cache, and there is no `go` on the PATH to fetch them.
    #[error("{what} are missing (looked for {}) and cannot be fetched, because `go` is not \
             installed", dir.display())]
    MissingCrds {
        /// The CRDs and their version.
        what: String,
        /// The folder that they would be in.
        dir: PathBuf,
    },
    /// The Go toolchain is older than the modules need and could not fetch a newer one.
    #[error("the installed Go is too old to build {what}: {message}")]
    GoTooOld {
        /// Part and version.
        what: String,
        /// Output of `go`.
        message: String,
    },
    /// A released part cannot be had.
    #[error(transparent)]
    Download(#[from] DownloadError),
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
        module: String,
    },
    /// The user has no cache folder (no `HOME`).
    #[error("there is no cache folder: neither KUBECTL_PIVOT_CACHE_DIR nor HOME is set")]
    NoCacheFolder,
    /// A file of the cache could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A manifest of a Go module, or what was made of it, is not what it should be.
    #[error("cannot use the manifest {}: {message}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The problem.
        message: String,
    },
    /// A CRD file is not what it should be.
    #[error("{} is not a CustomResourceDefinition: {message}", path.display())]
    Crd {
        /// The file.
        path: PathBuf,
        /// The problem.
        message: String,
    },
}

impl PartsError {
    /// Returns what the user can do about it, if anything is known to help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInAssets { .. } => Some(
                "name a folder that holds `etcd` and `kube-apiserver`, or leave the option out to \
                 have them built"
                    .into(),
            ),
            Self::Missing { part, .. } => Some(format!(
                "install Go 1.26 and run the command again, \
                 or set KUBEBUILDER_ASSETS to a folder that holds `{part}`"
            )),
            Self::MissingCrds { dir, .. } => Some(format!(
                "install Go 1.26 and run the command again, \
                 or copy {} from another machine",
                dir.display()
            )),
            Self::GoTooOld { .. } => {
                Some("install Go 1.26 or unset GOTOOLCHAIN, and run the command again".into())
            }
            Self::Go { .. } | Self::ModuleFolder { .. } => Some(
                "check that the Go module proxy can be reached (`go env GOPROXY`) and that the \
                 disk is not full; running the command again continues where it stopped"
                    .into(),
            ),
            Self::Download(_) => Some(
                "check the network and HTTPS_PROXY, name a mirror with --parts-mirror, or have the \
                 parts built by Go with --parts-from build"
                    .into(),
            ),
            Self::NoCacheFolder => Some("set KUBECTL_PIVOT_CACHE_DIR to a folder of yours".into()),
            Self::File(_) => Some(
                "check permissions and free space, or set KUBECTL_PIVOT_CACHE_DIR to another \
                 folder".into(),
            ),
            Self::Crd { path, .. } | Self::Manifest { path, .. } => path
                .parent()
                .map(|dir| format!("delete {} and run the command again", dir.display())),
        }
    }
}

fn places(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
