//! Reading a file that others may have put there: a regular one, and no more of it than expected.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

/// Reads a regular file of at most `limit_bytes`. A FIFO would wait for a writer for ever, and a
/// device need not end.
///
/// # Errors
/// The file cannot be read, is of another sort, or is larger.
pub fn read(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let (file, metadata) = open(path, Links::Followed)?;
    read_open(&file, &metadata, limit_bytes)
}

/// Treatment of a symbolic link as the last part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The link is followed.
    Followed,
    /// The file is not opened.
    Refused,
}

/// Opens a regular file without waiting. The metadata is that of the open file, so it stays true
/// whatever happens to the path.
///
/// # Errors
/// The file cannot be opened or is of another sort.
pub fn open(path: &Path, links: Links) -> io::Result<(File, Metadata)> {
    let file = open_without_waiting(path, links)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok((file, metadata))
}

/// Reads an open file of at most `limit_bytes`.
///
/// # Errors
/// It cannot be read, or is larger.
pub fn read_open(file: &File, metadata: &Metadata, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if metadata.len() <= limit_bytes {
        bytes.reserve_exact(usize::try_from(metadata.len()).unwrap_or_default());
        // It may have grown since.
        file.take(limit_bytes + 1).read_to_end(&mut bytes)?;
    }
    if metadata.len() > limit_bytes || bytes.len() as u64 > limit_bytes {
        return Err(io::Error::other(format!("it is larger than {limit_bytes} bytes")));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn open_without_waiting(path: &Path, links: Links) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};

    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if links == Links::Refused {
        flags |= OFlags::NOFOLLOW;
    }
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path, _: Links) -> io::Result<File> {
    File::open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_fifo_a_device_and_a_folder_are_refused_at_once() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.expect("mkfifo is everywhere").success());
        let device = folder.path().join("device");
        std::os::unix::fs::symlink("/dev/zero", &device).expect("the folder is ours");
        for path in [&*fifo, &*device, folder.path()] {
            let error = read(path, 10).expect_err("it is not a regular file");
            assert_eq!(error.to_string(), "it is not a regular file", "{}", path.display());
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "0123456789").expect("the folder is ours");
        std::os::unix::fs::symlink(&file, &link).expect("the folder is ours");
        assert_eq!(read(&link, 10).expect("it is short enough"), b"0123456789");
        let error = read(&file, 9).expect_err("it is too long");
        assert_eq!(error.to_string(), "it is larger than 9 bytes");
        assert!(open(&link, Links::Refused).is_err(), "it is a link");
    }
}
