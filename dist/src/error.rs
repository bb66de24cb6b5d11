//! Reasons for which a release is not made.

use std::path::{Path, PathBuf};

use crate::floor::{FLOOR, GlibcVersion};
use crate::size::SIZE_LIMIT;

/// A part of a release could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DistError {
    /// A file or folder cannot be used.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The action, for example `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A program cannot be started.
    #[error("cannot run `{command}`")]
    Start {
        /// The program and its arguments.
        command: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A program failed.
    #[error("`{command}` failed: {message}")]
    Failed {
        /// The program and its arguments.
        command: String,
        /// What it wrote, or its exit status.
        message: String,
    },
    /// A program answers in another form than it documents.
    #[error("cannot understand the answer of `{command}`: {message}")]
    Answer {
        /// The program and its arguments.
        command: String,
        /// What is missing or wrong.
        message: String,
    },
    /// There is no release for a platform.
    #[error("`{0}` is not a target of a release")]
    UnknownTarget(String),
    /// A file is not the executable that it should be.
    #[error("cannot read the symbol versions of {}: {message}", path.display())]
    Binary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A binary would not start on the oldest systems that a release is for.
    #[error("{} needs glibc {found}; a release runs with {FLOOR} and newer", path.display())]
    Floor {
        /// The file.
        path: PathBuf,
        /// The version that it needs.
        found: GlibcVersion,
    },
    /// The program is too large to be released.
    #[error("the program has {bytes} bytes; a release has at most {SIZE_LIMIT}")]
    Size {
        /// Bytes of the program.
        bytes: u64,
    },
    /// Two builds of the same sources differ.
    #[error("two builds of the same sources differ: {first} and {second}")]
    NotReproducible {
        /// The sha256 of the first archive.
        first: String,
        /// The sha256 of the second archive.
        second: String,
    },
    /// A folder holds archives of some targets only.
    #[error("there is no {name} in {}", folder.display())]
    NoArchive {
        /// The file name of the archive.
        name: String,
        /// The folder.
        folder: PathBuf,
    },
}

impl DistError {
    /// Says what the user can do, if anything is known to help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownTarget(_) => {
                let triples = crate::TARGETS.map(|target| target.triple).join(", ");
                Some(format!("use one of {triples}"))
            }
            Self::Start { command, .. } if command.starts_with("cargo-zigbuild") => Some(
                "install it and its linker with `pip install cargo-zigbuild ziglang`, or use \
                 --native for an archive that runs on systems like this one"
                    .to_owned(),
            ),
            Self::Size { .. } => Some(
                "take the program apart as docs/internals/releases.md says, and leave out what the \
                 change brought in"
                    .to_owned(),
            ),
            Self::Floor { .. } => Some("build without --native".to_owned()),
            Self::NotReproducible { .. } => {
                Some("compare both folders of archives with `diffoscope`".to_owned())
            }
            _ => None,
        }
    }

    /// For `map_err` on file operations.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
