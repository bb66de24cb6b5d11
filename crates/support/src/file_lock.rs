//! Locks between processes, as locks on files.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use own_files::private;

/// A locked file. The lock ends when this is dropped, and with the process, however it ends.
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Locks a file, which is made when it is missing; `None` when another process has the lock.
    ///
    /// # Errors
    /// When the file cannot be opened or locked.
    pub fn acquire(path: &Path) -> io::Result<Option<Self>> {
        Self::on(private::open_to_lock(path)?)
    }

    /// As [`Self::acquire`], but tries again for a moment: who asks [`Self::is_held`] has the lock
    /// for an instant.
    ///
    /// # Errors
    /// When the file cannot be opened or locked.
    pub fn acquire_patiently(path: &Path) -> io::Result<Option<Self>> {
        for _ in 0..10 {
            if let Some(lock) = Self::acquire(path)? {
                return Ok(Some(lock));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Self::acquire(path)
    }

    /// Locks an open file; `None` when another process has the lock.
    ///
    /// # Errors
    /// When the file system has no locks.
    pub fn on(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns whether a process has the lock. Creates no file.
    pub fn is_held(path: &Path) -> bool {
        let Ok(file) = File::open(path) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// The file.
    pub(crate) fn file_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        assert!(!FileLock::is_held(&path));
        assert!(!path.exists());
        let lock = FileLock::acquire(&path).expect("writable").expect("free");
        assert!(FileLock::is_held(&path));
        assert!(FileLock::acquire(&path).expect("writable").is_none());
        drop(lock);
        assert!(FileLock::acquire_patiently(&path).expect("writable").is_some());
    }
}
