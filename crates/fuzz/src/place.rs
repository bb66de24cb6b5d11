//! Files for targets that read files.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    /// One for each thread: the tests of a crate run at once.
    static FOLDER: TempDir = folder();
}

/// A folder in memory where there is one: a disk would be written to for every text.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.expect("there is room for a folder")
}

/// Writes a text to a file of this thread, in place of the one before, and returns its path.
///
/// # Panics
/// When there is no room for it.
pub fn written(name: &str, text: &[u8]) -> PathBuf {
    let path = FOLDER.with(|folder| folder.path().join(name));
    fs::write(&path, text).expect("the folder is ours");
    path
}
