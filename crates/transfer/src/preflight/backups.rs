//! The folder of the backup: a move that cannot write there would pause everything first, and then
//! roll back.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::findings::Findings;
use crate::run::Run;

/// Reports a folder in which no backup can be made.
pub(super) fn check(run: &Run, findings: &mut Findings) {
    let Some(folder) = &run.options.backups else { return };
    if let Err((place, problem)) = writable(folder) {
        findings.error(
            "BackupFolder",
            "source",
            format!("no backup can be made in {}: {} {problem}", folder.display(), place.display()),
            "choose another folder with --backup-dir, or leave the backup out with --no-backup",
        );
    }
}

/// Looks at the folder, or at the nearest one above it that is there.
fn writable(folder: &Path) -> Result<(), (PathBuf, String)> {
    let there = folder.ancestors().find(|place| place.symlink_metadata().is_ok());
    let place = there.unwrap_or(Path::new("/"));
    let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
    let problem_of = |problem: String| (place.to_owned(), problem);
    match place.metadata() {
        Ok(metadata) if !metadata.is_dir() => return Err(problem_of("is not a folder".to_owned())),
        Ok(_) => {}
        Err(error) => return Err(problem_of(format!("cannot be read: {error}"))),
    }
    access(place, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        problem_of(format!("cannot be written to: {}", std::io::Error::from(error)))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_nearest_folder_that_is_there_decides() {
        let home = tempfile::tempdir().expect("a folder");
        assert_eq!(writable(&home.path().join("a/b/c")), Ok(()));
        fs::write(home.path().join("file"), "").expect("written");
        let (place, problem) = writable(&home.path().join("file/a")).expect_err("a file");
        assert_eq!((place, &*problem), (home.path().join("file"), "is not a folder"));
        std::os::unix::fs::symlink("nowhere", home.path().join("link")).expect("linked");
        assert!(writable(&home.path().join("link/a")).is_err());
        let locked = home.path().join("locked");
        fs::create_dir(&locked).expect("created");
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o500)).expect("ours");
        // Root may write everywhere.
        assert_eq!(writable(&locked.join("a")).is_ok(), rustix::process::geteuid().is_root());
    }
}
