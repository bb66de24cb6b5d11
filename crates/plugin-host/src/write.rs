//! Writing files as a whole: a reader sees the old one or the new one, whatever is killed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file with exactly these permissions, whatever the umask says.
///
/// # Errors
/// The folder of the file is not writable.
pub(super) fn file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    set_mode(file.as_file(), mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Makes a folder, and those above it, in which only the user can write.
///
/// # Errors
/// One cannot be made.
#[cfg(unix)]
pub(super) fn folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path)
}

/// Makes a folder, and those above it.
///
/// # Errors
/// One cannot be made.
#[cfg(not(unix))]
pub(super) fn folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
