//! The sandboxes of a user: one folder each, below one root.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use capi::valid;
use support::file_lock::FileLock;

use super::error::{FileError, SandboxError};
use super::identity::end;
use super::info::{SandboxInfo, SandboxState};
use super::record::Record;
use own_files::private;

/// The folder of a user's sandboxes.
///
/// # Guarantees
///
/// Only processes that were recorded for a sandbox are ever ended, and only if they are still the
/// ones that were recorded.
#[derive(Clone, Debug)]
pub struct Sandboxes {
    root: PathBuf,
}

impl Sandboxes {
    /// The sandboxes of this user: `sandboxes` in `KUBECTL_PIVOT_STATE_DIR`, else in
    /// `kubectl-pivot` in the user's state folder.
    ///
    /// # Errors
    ///
    /// There is no such folder, as `HOME` is not set.
    pub fn of_user() -> Result<Self, SandboxError> {
        let state = support::journal::state_folder().ok_or(SandboxError::NoStateFolder)?;
        Ok(Self::at(state.join("sandboxes")))
    }

    /// The sandboxes whose folders are in `root`, which need not exist yet.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        // Processes are recognised by paths in their command lines, so these must not be relative.
        Self { root: std::path::absolute(&root).unwrap_or(root) }
    }

    /// All sandboxes, running or not, in the order of their names.
    ///
    /// # Errors
    ///
    /// The root folder cannot be read. A single sandbox that cannot be read is listed as such.
    pub fn list(&self) -> Result<Vec<SandboxInfo>, SandboxError> {
        let mut names = Vec::new();
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(FileError::of("read", &self.root)(error).into()),
        };
        for entry in entries {
            let entry = entry.map_err(FileError::of("read", &self.root))?;
            names.extend(
                entry.file_name().into_string().ok().filter(|name| validate_name(name).is_ok()),
            );
        }
        names.sort();
        Ok(names.iter().map(|name| self.look(name)).collect())
    }

    /// One sandbox.
    ///
    /// # Errors
    ///
    /// There is none of this name.
    pub fn get(&self, name: &str) -> Result<SandboxInfo, SandboxError> {
        validate_name(name)?;
        if !self.dir(name).exists() {
            let known = self.list()?.into_iter().map(|info| info.name).collect();
            return Err(SandboxError::NotFound { name: name.into(), known });
        }
        Ok(self.look(name))
    }

    /// Ends a sandbox's processes, controllers first, then API servers, and deletes its folder.
    /// Returns what it was.
    ///
    /// # Errors
    ///
    /// There is none of this name, another process is starting it, its record cannot be read, or a
    /// process would not end.
    pub async fn down(&self, name: &str) -> Result<SandboxInfo, SandboxError> {
        let info = self.get(name)?;
        let dir = self.dir(name);
        let Some(record) = Record::read(&dir)? else {
            // Never started completely, so its processes ended with the process that started it.
            let _lock = self.lock(name)?;
            self.delete(name)?;
            return Ok(info);
        };
        for processes in record.in_order() {
            let pids = end(&processes, &dir).await;
            if !pids.is_empty() {
                return Err(SandboxError::WontEnd { name: name.into(), pids });
            }
        }
        self.delete(name)?;
        Ok(info)
    }

    /// Ends all sandboxes.
    ///
    /// # Errors
    ///
    /// As for [`Sandboxes::down`]; the others are ended nevertheless, and the first error returned.
    pub async fn down_all(&self) -> Result<Vec<SandboxInfo>, SandboxError> {
        let mut ended = Vec::new();
        let mut first_error = None;
        for info in self.list()? {
            match self.down(&info.name).await {
                Ok(info) => ended.push(info),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(ended), Err)
    }

    /// Takes the name for a new sandbox and returns its empty folder.
    pub(super) fn claim(&self, name: &str) -> Result<(FileLock, PathBuf), SandboxError> {
        validate_name(name)?;
        let lock = self.lock(name)?;
        let dir = self.dir(name);
        if dir.exists() {
            match self.look(name).state {
                // Starting: by this process, which holds the lock, or rather by one that is gone.
                SandboxState::Stopped | SandboxState::Starting => self.delete(name)?,
                SandboxState::Running | SandboxState::Partial => {
                    return Err(SandboxError::AlreadyRunning { name: name.into() });
                }
                SandboxState::Unreadable => {
                    Record::read(&dir)?;
                }
            }
        }
        private::create_folder(&dir).map_err(FileError::of("create", &dir))?;
        Ok((lock, dir))
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn look(&self, name: &str) -> SandboxInfo {
        let dir = self.dir(name);
        match Record::read(&dir) {
            Ok(Some(record)) => SandboxInfo::of(name, &dir, record),
            Ok(None) if self.is_locked(name) => {
                SandboxInfo::empty(name, &dir, SandboxState::Starting)
            }
            Ok(None) => SandboxInfo::empty(name, &dir, SandboxState::Stopped),
            Err(_) => SandboxInfo::empty(name, &dir, SandboxState::Unreadable),
        }
    }

    fn delete(&self, name: &str) -> Result<(), SandboxError> {
        remove_dir(&self.dir(name))
    }

    fn is_locked(&self, name: &str) -> bool {
        matches!(self.lock(name), Err(SandboxError::Busy { .. }))
    }

    fn lock(&self, name: &str) -> Result<FileLock, SandboxError> {
        let locks = self.root.join(".locks");
        private::create_folder(&locks).map_err(FileError::of("create", &locks))?;
        let path = locks.join(name);
        let lock = FileLock::acquire(&path).map_err(FileError::of("lock", path))?;
        lock.ok_or_else(|| SandboxError::Busy { name: name.into() })
    }
}

/// Deletes a folder that may be gone already.
pub(super) fn remove_dir(dir: &Path) -> Result<(), SandboxError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(FileError::of("delete", dir)(error).into())
        }
        _ => Ok(()),
    }
}

/// A DNS label, short enough for file and context names: the rule of Kubernetes for names.
fn validate_name(name: &str) -> Result<(), SandboxError> {
    if name.len() > 40 || !valid::is_label(name) {
        return Err(SandboxError::InvalidName { name: name.into() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "demo", "ci-42", "0"] {
            assert!(validate_name(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a/b", "..", "a.b", "ä", &"a".repeat(41)] {
            assert!(matches!(validate_name(bad), Err(SandboxError::InvalidName { .. })), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_folder_without_processes_is_stopped_and_can_be_claimed_or_deleted() {
        let root = tempfile::tempdir().expect("temp dir");
        let sandboxes = Sandboxes::at(root.path().join("sandboxes"));
        assert_eq!(sandboxes.list().expect("list"), []);
        fs::create_dir_all(sandboxes.dir("left")).expect("create");
        fs::write(sandboxes.dir("left").join("rubbish"), "").expect("write");
        assert_eq!(sandboxes.get("left").expect("get").state, SandboxState::Stopped);
        let (lock, dir) = sandboxes.claim("left").expect("claim");
        assert_eq!(fs::read_dir(&dir).expect("read").count(), 0);
        assert_eq!(sandboxes.get("left").expect("get").state, SandboxState::Starting);
        assert!(matches!(sandboxes.claim("left"), Err(SandboxError::Busy { .. })));
        assert!(matches!(sandboxes.down("left").await, Err(SandboxError::Busy { .. })));
        drop(lock);
        sandboxes.down("left").await.expect("down");
        assert!(!dir.exists());
        let error = sandboxes.down("left").await.expect_err("gone");
        assert!(matches!(error, SandboxError::NotFound { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_read_is_listed_and_left_alone() {
        let root = tempfile::tempdir().expect("temp dir");
        let sandboxes = Sandboxes::at(root.path());
        fs::create_dir_all(sandboxes.dir("odd")).expect("create");
        fs::write(sandboxes.dir("odd").join("sandbox.json"), r#"{"version": 99}"#).expect("write");
        assert_eq!(sandboxes.list().expect("list")[0].state, SandboxState::Unreadable);
        for error in [sandboxes.claim("odd").map(drop), sandboxes.down("odd").await.map(drop)] {
            assert!(matches!(error, Err(SandboxError::Record { .. })), "{error:?}");
        }
        assert!(sandboxes.dir("odd").exists());
    }
}
