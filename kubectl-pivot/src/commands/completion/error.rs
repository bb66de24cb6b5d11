//! Errors of `completion install`.

use std::io;
use std::path::PathBuf;

/// A problem of `completion install`.
#[derive(Debug, thiserror::Error)]
pub enum CompletionError {
    /// Somebody else has written a file of this name.
    #[error("{} is there already, and this command has not written it", .0.display())]
    Foreign(PathBuf),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// No folder of `PATH` can be written.
    #[error("cannot write {name} to any folder in PATH that is yours or holds {program}")]
    NoFolder {
        /// Name of the executable.
        name: String,
        /// Name of the program.
        program: String,
    },
    /// There is no home directory.
    #[error("there is no folder for the script: HOME is not set")]
    NoHome,
}

impl CompletionError {
    /// Returns the way out.
    pub fn hint(&self) -> String {
        match self {
            Self::Foreign(path) => format!("remove {} and run this again", path.display()),
            Self::Write { .. } | Self::NoFolder { .. } => {
                "name a folder of PATH that you may write to with --bin-dir DIR".to_owned()
            }
            Self::NoHome => {
                "set HOME, or print the script with `kubectl pivot completion SHELL`".to_owned()
            }
        }
    }
}
