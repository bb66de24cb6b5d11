//! The list of libraries that the user trusts: a file with their hashes.
//!
//! Trust belongs to bytes. A library that changes has to be trusted again, whatever its name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use own_files::PermissionProblem;
use serde::{Deserialize, Serialize};

use super::file::Sha256;
use super::guarded::{self, GuardedError};
use super::write;

/// Version of the format that this program writes and reads.
const FORMAT: u32 = 1;

/// Name of the lock file in a folder with plugins.
pub(super) const FILE_NAME: &str = "plugins.lock.json";

/// A hundred bytes for each plugin: room for thousands.
const LIMIT_BYTES: u64 = 1 << 20;

/// The trusted libraries, by the name of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Version of the format; a reader refuses a higher one.
    format_version: u32,
    /// Hashes, by name.
    plugins: BTreeMap<String, Sha256>,
}

/// The reason why the lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file cannot be read or written.
    #[error("cannot use the lock file {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Someone else could have changed the file, and trusted what they like.
    #[error("the lock file {} is not safe to rely on", path.display())]
    Permissions {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: PermissionProblem,
    },
    /// The file is not a lock.
    #[error("the lock file {} is damaged", path.display())]
    Malformed {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// The file was written by a newer program.
    #[error(
        "the lock file {} has format version {found}, this program reads up to {FORMAT}",
        path.display()
    )]
    Newer {
        /// The lock file.
        path: PathBuf,
        /// The version.
        found: u32,
    },
}

impl LockError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Io { .. } => "check its permissions".into(),
            Self::Permissions { source, .. } => source.hint().into(),
            Self::Malformed { .. } => {
                "delete it, and trust your plugins again with `kubectl pivot plugin trust NAME`"
                    .into()
            }
            Self::Newer { .. } => "use the newer kubectl-pivot that has written it".into(),
        }
    }
}

impl Default for Lock {
    fn default() -> Self {
        Self { format_version: FORMAT, plugins: BTreeMap::new() }
    }
}

impl Lock {
    /// Reads the lock of `folder`; a missing file trusts nothing.
    ///
    /// # Errors
    /// The file is there and cannot be used.
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join(FILE_NAME);
        let text = match guarded::read(&path, LIMIT_BYTES) {
            Ok(text) => text,
            Err(GuardedError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(GuardedError::Io(source)) => return Err(LockError::Io { path, source }),
            Err(GuardedError::Permissions(source)) => {
                return Err(LockError::Permissions { path, source });
            }
        };
        let lock: Self = serde_json::from_slice(&text)
            .map_err(|source| LockError::Malformed { path: path.clone(), source })?;
        match lock.format_version {
            found if found > FORMAT => Err(LockError::Newer { path, found }),
            _ => Ok(lock),
        }
    }

    /// Writes the lock of `folder` as a whole: a reader sees the old one or the new one.
    ///
    /// # Errors
    /// The folder is not writable, or not only by the user: the lock would not be relied on.
    pub fn write(&self, folder: &Path) -> Result<(), LockError> {
        let path = folder.join(FILE_NAME);
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|source| LockError::Malformed { path: path.clone(), source })?;
        text.push(b'\n');
        let io = |source| LockError::Io { path: path.clone(), source };
        write::folder(folder).map_err(io)?;
        own_files::check_folders(&folder.canonicalize().map_err(io)?)
            .map_err(|source| LockError::Permissions { path: path.clone(), source })?;
        write::file(&path, &text, 0o600).map_err(io)
    }

    /// The hash that is trusted for `name`.
    pub fn trusted(&self, name: &str) -> Option<&Sha256> {
        self.plugins.get(name)
    }

    /// Trusts one library under a name, and no other.
    pub fn trust(&mut self, name: impl Into<String>, hash: Sha256) {
        self.plugins.insert(name.into(), hash);
    }

    /// Trusts no library under this name any more; whether it did.
    pub fn forget(&mut self, name: &str) -> bool {
        self.plugins.remove(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_and_forgets() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        assert_eq!(Lock::read(folder.path()).expect("no file is an empty lock"), Lock::default());
        let mut lock = Lock::default();
        lock.trust("docker", Sha256::of(b"library"));
        lock.write(folder.path()).expect("the folder is ours");
        let mut read = Lock::read(folder.path()).expect("it was just written");
        assert_eq!(read.trusted("docker"), Some(&Sha256::of(b"library")));
        assert_eq!(read.trusted("aws"), None);
        assert!(read.forget("docker"));
        assert!(!read.forget("docker"));
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_others_can_write_trusts_nothing() {
        use std::os::unix::fs::PermissionsExt as _;

        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
        };
        let root = tempfile::tempdir().expect("there is room for a folder");
        let folder = root.path().join("plugins");
        let file = folder.join(FILE_NAME);
        Lock::default().write(&folder).expect("the folder is ours");
        for (path, mode, is_safe) in [
            (&*file, 0o644, true),
            (&*file, 0o666, false),
            (&*folder, 0o777, false),
            (&*folder, 0o755, true),
            (root.path(), 0o777, false),
            (root.path(), 0o700, true),
        ] {
            set(path, mode);
            match Lock::read(&folder) {
                Ok(_) => assert!(is_safe, "{} {mode:o}", path.display()),
                Err(LockError::Permissions { .. }) => assert!(!is_safe, "{mode:o}"),
                Err(other) => panic!("unexpected: {other}"),
            }
            let is_written = Lock::default().write(&folder).is_ok();
            assert_eq!(is_written, is_safe || path == file, "{} {mode:o}", path.display());
        }
    }

    #[test]
    fn refuses_a_damaged_or_newer_file() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let write = |text: &str| std::fs::write(folder.path().join(FILE_NAME), text);
        write("{").expect("the folder is ours");
        assert!(matches!(Lock::read(folder.path()), Err(LockError::Malformed { .. })));
        write(r#"{"formatVersion":9,"plugins":{}}"#).expect("the folder is ours");
        assert!(matches!(Lock::read(folder.path()), Err(LockError::Newer { found: 9, .. })));
    }
}
