//! The place from which a library is opened: nobody can change the bytes there.
//!
//! The dynamic linker opens a path. The path of the plugin itself could lead to other bytes than
//! those that were hashed, so these bytes are put where no one else gets at them. Such a place has
//! no neighbours: a plugin cannot bring libraries along beside itself (`$ORIGIN`), whose hashes
//! would be in no list of trusted ones.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Bytes under a path, until this is dropped.
pub(super) struct Place {
    path: PathBuf,
    /// Is removed when the library is open: it stays open without a name.
    _folder: Option<TempDir>,
}

impl Place {
    /// Puts the bytes of a library where they can be opened.
    ///
    /// # Errors
    /// There is no room for them.
    pub(super) fn of(bytes: &[u8]) -> io::Result<Self> {
        match Self::in_memory(bytes) {
            // No memory file, or no `/proc` to name it by.
            Err(_) => Self::in_private_folder(bytes),
            place => place,
        }
    }

    /// The path to open.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A memory file that is sealed: nobody can write to it any more, not even this process.
    ///
    /// Its descriptor stays open for ever. The dynamic linker knows an open library by its path,
    /// and would take the next one under this number for this one.
    #[cfg(target_os = "linux")]
    fn in_memory(bytes: &[u8]) -> io::Result<Self> {
        use std::os::fd::IntoRawFd as _;

        // Some systems demand that memory files are no programs.
        let (file, path) = memory_file(bytes, rustix::fs::MemfdFlags::NOEXEC_SEAL)?;
        let _stays_open = file.into_raw_fd();
        Ok(Self { path, _folder: None })
    }

    #[cfg(not(target_os = "linux"))]
    fn in_memory(_: &[u8]) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A new file in a new folder into which only this user can look.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn in_private_folder(bytes: &[u8]) -> io::Result<Self> {
        let folder = private_folder()?;
        let path = folder.path().join(format!("plugin{}", std::env::consts::DLL_SUFFIX));
        File::create_new(&path)?.write_all(bytes)?;
        Ok(Self { path, _folder: Some(folder) })
    }
}

/// A new folder into which only this user can look.
///
/// # Errors
/// There is no room for it.
pub(super) fn private_folder() -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("kubectl-pivot-plugin-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

/// A sealed memory file, and a path by which this process and those that it starts open it.
///
/// Kernels before 6.3 do not know `wanted`; what it asks for is as it was then.
///
/// # Errors
/// The system has no memory files, or no room, or no `/proc`.
#[cfg(target_os = "linux")]
pub(super) fn memory_file(
    bytes: &[u8],
    wanted: rustix::fs::MemfdFlags,
) -> io::Result<(File, PathBuf)> {
    use std::os::fd::AsRawFd as _;

    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

    let create = |flags| {
        let flags = flags | MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        memfd_create(c"kubectl-pivot-plugin", flags)
    };
    let mut file = File::from(create(wanted).or_else(|_| create(MemfdFlags::empty()))?);
    file.write_all(bytes)?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    path.metadata()?;
    Ok((file, path))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn nobody_can_write_to_a_library_in_memory() {
        let place = Place::in_memory(b"library").expect("there is room in memory");
        assert_eq!(std::fs::read(place.path()).expect("it is readable"), b"library");
        assert!(std::fs::write(place.path(), b"another").is_err(), "it is sealed");
        let other = Place::in_memory(b"other").expect("there is room in memory");
        assert_ne!(place.path(), other.path());
        assert_eq!(std::fs::read(place.path()).expect("it is readable"), b"library");
    }

    #[test]
    fn a_private_copy_is_gone_when_it_is_no_longer_needed() {
        let place = Place::in_private_folder(b"library").expect("there is room for a file");
        let path = place.path().to_owned();
        assert_eq!(std::fs::read(&path).expect("it is ours"), b"library");
        let folder = path.parent().expect("it is in a folder").metadata().expect("it is ours");
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
        drop(place);
        assert!(!path.exists());
    }
}
