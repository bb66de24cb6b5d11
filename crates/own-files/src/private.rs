//! Files and folders that only their owner can look into, whatever the umask is: keys, kubeconfigs,
//! logs, backups.
//!
//! Every private file of the program is made here, so that none forgets its mode.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Creates a folder, and those above it that are missing. One that is there becomes private.
///
/// # Errors
/// It cannot be created, or belongs to somebody else.
pub fn create_folder(path: &Path) -> io::Result<()> {
    create_missing_folders(path)?;
    fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
}

/// Creates a folder, and those above it that are missing. One that is there keeps its mode: its
/// user may share it.
///
/// # Errors
/// One cannot be created.
pub fn create_missing_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Writes a file by a rename: a reader sees all of it or none.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A temporary file has this mode from the beginning.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(content.as_ref())?;
    file.as_file().sync_data()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Creates a file that must not be there yet.
///
/// # Errors
/// It is there, or cannot be created.
pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)
}

/// Opens a file to read it and to append to it. One that is there becomes private.
///
/// # Errors
/// It cannot be opened, or belongs to somebody else.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    private(options.read(true).append(true).create(true).mode(FILE_MODE).open(path)?)
}

/// Opens a file that holds nothing but a lock. Who may open it could keep the program waiting, so
/// one that is there becomes private.
///
/// # Errors
/// It cannot be opened, or belongs to somebody else.
pub fn open_to_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    private(options.write(true).create(true).truncate(false).mode(FILE_MODE).open(path)?)
}

/// Takes from a file what another mode gives to others.
fn private(file: File) -> io::Result<File> {
    if file.metadata()?.permissions().mode() & 0o7777 != FILE_MODE {
        file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    /// A file that everybody can read.
    fn open_file(path: &Path) {
        fs::write(path, "old").expect("the folder is ours");
        fs::set_permissions(path, Permissions::from_mode(0o644)).expect("the file is ours");
    }

    #[test]
    fn a_folder_is_private_or_keeps_the_mode_that_its_user_gave_it() {
        let home = tempfile::tempdir().expect("there is room for a folder");
        let folder = home.path().join("a/b");
        create_missing_folders(&folder).expect("the folder above is ours");
        assert_eq!((mode(&folder), mode(&home.path().join("a"))), (FOLDER_MODE, FOLDER_MODE));
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("the folder is ours");
        create_missing_folders(&folder).expect("it is there");
        assert_eq!(mode(&folder), 0o755);
        create_folder(&folder).expect("it is ours");
        assert_eq!(mode(&folder), FOLDER_MODE);
    }

    #[test]
    fn a_file_is_private_whatever_was_there() {
        let home = tempfile::tempdir().expect("there is room for a folder");
        let path = |name: &str| home.path().join(name);
        for name in ["write", "append", "lock"] {
            open_file(&path(name));
        }
        write(&path("write"), "new").expect("the folder is ours");
        let mut appended = open_to_append(&path("append")).expect("the file is ours");
        appended.write_all(b", new").expect("it can be written");
        open_to_lock(&path("lock")).expect("the file is ours");
        create_new(&path("new")).expect("it is not there");
        let read = |name: &str| fs::read_to_string(path(name)).expect("it is ours");
        for (name, content) in
            [("write", "new"), ("append", "old, new"), ("lock", "old"), ("new", "")]
        {
            assert_eq!((read(name).as_str(), mode(&path(name))), (content, FILE_MODE), "{name}");
        }
        assert!(create_new(&path("new")).is_err(), "it is there");
    }
}
