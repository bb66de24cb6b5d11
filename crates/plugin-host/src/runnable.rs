//! The place from which a program is run: nobody can change its bytes.
//!
//! The path of the plugin itself could lead to other bytes than those that were hashed. So these
//! bytes are run: on Linux from a sealed memory file, elsewhere from a copy in a folder of its own
//! that lives as long as the call. A script needs the copy everywhere, since its interpreter opens
//! it by its path.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::form::is_script;
use super::place;

/// The bytes of a program, which can be run again and again.
pub(super) struct Runnable {
    bytes: Vec<u8>,
    /// The file stays open as long as it may be run.
    memory: Option<(File, PathBuf)>,
}

/// A path to run, until this is dropped.
pub(super) struct RunPath {
    path: PathBuf,
    _folder: Option<TempDir>,
}

impl Runnable {
    /// Puts the bytes of a program where they can be run.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let memory = if is_script(bytes) { None } else { in_memory(bytes).ok() };
        Self { bytes: bytes.to_vec(), memory }
    }

    /// The path in memory, where the system has that and the program is no script.
    pub(super) fn in_memory(&self) -> Option<RunPath> {
        self.memory.as_ref().map(|(_, path)| RunPath { path: path.clone(), _folder: None })
    }

    /// A copy in a new folder into which only this user can look.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn copy(&self) -> io::Result<RunPath> {
        let folder = place::private_folder()?;
        let path = folder.path().join("plugin");
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o700).open(&path)?.write_all(&self.bytes)?;
        Ok(RunPath { path, _folder: Some(folder) })
    }
}

impl RunPath {
    pub(super) fn as_path(&self) -> &Path {
        &self.path
    }
}

#[cfg(target_os = "linux")]
fn in_memory(bytes: &[u8]) -> io::Result<(File, PathBuf)> {
    place::memory_file(bytes, rustix::fs::MemfdFlags::EXEC)
}

#[cfg(not(target_os = "linux"))]
fn in_memory(_: &[u8]) -> io::Result<(File, PathBuf)> {
    Err(io::ErrorKind::Unsupported.into())
}
