//! Files and folders that nobody else can put in the place of ours.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Reads a regular file of at most so many bytes. A pipe would be waited for, and a device never ends.
///
/// # Errors
/// When it is something else, is longer, or cannot be read.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let too_long = || {
        io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {} MiB", limit >> 20))
    };
    if found.len() > limit {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    // It may grow meanwhile.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_long()) } else { Ok(bytes) }
}

/// Says who else could change what is in a folder, or put another folder in its place; nothing of a folder that is
/// not there but would be created. Symbolic links are followed.
///
/// # Errors
/// When the folder cannot be looked at.
pub fn problem_of_folder(folder: &Path) -> io::Result<Option<String>> {
    let folder = std::path::absolute(folder)?;
    let there = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    let is_there = there == folder;
    let real = fs::canonicalize(there)?;
    let user = rustix::process::geteuid().as_raw();
    if let Some(problem) = problem(&real, &fs::metadata(&real)?, user, !is_there) {
        return Ok(Some(problem));
    }
    let Some(parent) = real.parent().filter(|_| is_there) else { return Ok(None) };
    Ok(problem(parent, &fs::metadata(parent)?, user, true))
}

/// In a folder with the sticky bit others cannot rename what is not theirs.
fn problem(path: &Path, found: &Metadata, user: u32, may_be_sticky: bool) -> Option<String> {
    const STICKY: u32 = 0o1000;
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    let path = path.display();
    if found.uid() != user && found.uid() != 0 {
        return Some(format!("{path} belongs to another user (uid {})", found.uid()));
    }
    let is_sticky = may_be_sticky && found.mode() & STICKY != 0;
    if found.mode() & WRITABLE_BY_OTHERS != 0 && !is_sticky {
        return Some(format!("others can write to {path} (mode {:o})", found.mode() & 0o7777));
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode set");
    }

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("file");
        fs::write(&file, "12345").expect("written");
        assert_eq!(read(&file, 5).expect("within"), b"12345");
        assert!(read(&file, 4).expect_err("too long").to_string().contains("more than"));
        let pipe = home.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0)
            .expect("a pipe");
        let zero = home.path().join("zero");
        symlink("/dev/zero", &zero).expect("a link");
        for path in [&pipe, &zero, &home.path().to_owned()] {
            let error = read(path, 5).expect_err("no file").to_string();
            assert!(error.contains("no regular file"), "{}: {error}", path.display());
        }
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_told() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("a");
        fs::create_dir(&folder).expect("created");
        let says = |path: &Path| problem_of_folder(path).expect("looked at");
        for (mode, is_fine) in
            [(0o700, true), (0o755, true), (0o777, false), (0o770, false), (0o1777, false)]
        {
            chmod(&folder, mode);
            assert_eq!(says(&folder).is_none(), is_fine, "{mode:o}");
        }
        chmod(&folder, 0o1777);
        assert_eq!(says(&folder.join("new/backup")), None, "a folder of ours in a sticky one");
        chmod(&folder, 0o777);
        let link = home.path().join("link");
        symlink(&folder, &link).expect("a link");
        for path in [folder.join("new"), link.clone(), link.join("new")] {
            assert!(says(&path).is_some_and(|problem| problem.contains("mode 777")), "{path:?}");
        }
        fs::create_dir(folder.join("inner")).expect("created");
        chmod(&folder.join("inner"), 0o700);
        assert!(says(&folder.join("inner")).is_some(), "others can put another one in its place");
    }
}
