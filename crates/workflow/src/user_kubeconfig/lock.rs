//! The lock of a kubeconfig: a file beside it, `FILE.lock`, as `kubectl config` takes it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::UserKubeconfigError;
use super::files::{create_folder, folder_of};

/// Programs hold it for a moment only.
const LOCK_TIMEOUT: Duration = Duration::from_millis(if cfg!(test) { 200 } else { 5000 });
/// Between two tries.
const LOCK_RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// A lock that is held, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of a file. `owner` is written into it: this process alone can be that owner,
    /// so a lock with these words was left by one that was killed, and is taken over.
    pub(super) async fn take(file: &Path, owner: &str) -> Result<Self, UserKubeconfigError> {
        let path = path_of(file);
        let failed =
            |source| UserKubeconfigError::File { action: "lock", path: file.to_owned(), source };
        create_folder(folder_of(file)).map_err(failed)?;
        wait_for(file, &path, owner).await?;
        loop {
            match create(&path, owner) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    wait_for(file, &path, owner).await?;
                }
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody else could remove it in good order; what is gone need not be removed.
        let _ = fs::remove_file(&self.path);
    }
}

/// Waits until nobody has the lock of a file.
pub(super) async fn wait_until_free(file: &Path, owner: &str) -> Result<(), UserKubeconfigError> {
    wait_for(file, &path_of(file), owner).await
}

async fn wait_for(file: &Path, lock: &Path, owner: &str) -> Result<(), UserKubeconfigError> {
    let began = Instant::now();
    while fs::symlink_metadata(lock).is_ok() {
        if fs::read_to_string(lock).is_ok_and(|words| words == owner) {
            let removed = fs::remove_file(lock);
            return removed.map_err(|source| UserKubeconfigError::File {
                action: "unlock",
                path: file.to_owned(),
                source,
            });
        }
        if began.elapsed() >= LOCK_TIMEOUT {
            let (path, lock) = (file.to_owned(), lock.to_owned());
            return Err(UserKubeconfigError::Locked { path, lock });
        }
        tokio::time::sleep(LOCK_RETRY_INTERVAL).await;
    }
    Ok(())
}

/// Creates it with its words in one go, if it is not there.
fn create(lock: &Path, owner: &str) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".kubeconfig-").tempfile_in(folder_of(lock))?;
    file.write_all(owner.as_bytes())?;
    file.persist_noclobber(lock).map(drop).map_err(|error| error.error)
}

fn path_of(file: &Path) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(".lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lock_of_somebody_else_is_waited_for() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("folder/config");
        let lock = Lock::take(&file, "run a").await.expect("it is free");
        assert!(dir.path().join("folder/config.lock").exists());
        let error = wait_until_free(&file, "run b").await.expect_err("it is taken");
        assert!(matches!(error, UserKubeconfigError::Locked { .. }), "{error}");
        drop(lock);
        assert!(!dir.path().join("folder/config.lock").exists());
        wait_until_free(&file, "run b").await.expect("it is free");
    }

    #[tokio::test]
    async fn a_lock_that_this_run_has_left_is_its_own() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("config");
        std::mem::forget(Lock::take(&file, "run a").await.expect("it is free"));
        let lock = Lock::take(&file, "run a").await.expect("it was left");
        drop(lock);
        assert_eq!(fs::read_dir(dir.path()).expect("a folder").count(), 0);
    }
}
