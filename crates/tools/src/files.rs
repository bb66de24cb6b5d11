//! Files that only their owner can read: logs, kubeconfigs, configurations with secrets in them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Creates a folder, and those above it that are missing, that only its owner can enter.
///
/// # Errors
/// When it cannot be created, or belongs to somebody else.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Writes a file that only its owner can read, by a rename: a reader sees all of it or none.
///
/// # Errors
/// When it cannot be written.
pub fn write_private(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A temporary file has the mode 0600 from the beginning, whatever the umask is.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(content.as_ref())?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Opens a file to append to that only its owner can read.
pub(super) fn append_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("is there").permissions().mode() & 0o777
    }

    #[test]
    fn nobody_else_can_read_them() {
        let dir = tempfile::tempdir().expect("temp dir");
        let folder = dir.path().join("a/b");
        create_private_dir(&folder).expect("created");
        assert_eq!(mode(&folder), 0o700);
        let file = folder.join("kubeconfig");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
        write_private(&file, "new").expect("written");
        assert_eq!(mode(&file), 0o600);
        assert_eq!(fs::read_to_string(&file).expect("read"), "new");
        let log = folder.join("log");
        fs::write(&log, "").expect("written");
        fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).expect("changed");
        append_private(&log).expect("opened").write_all(b"x").expect("written");
        assert_eq!(mode(&log), 0o600);
    }
}
