//! Who could have changed a library: nobody but the user and root may be able to.

use std::path::{Path, PathBuf};

/// Why a file is not safe to load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionProblem {
    /// Others may write.
    #[error("{} can be written by {who} (mode {mode:03o})", path.display())]
    Writable {
        /// The file or folder.
        path: PathBuf,
        /// `its group` or `everyone`.
        who: &'static str,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to another user.
    #[error("{} belongs to the user with id {owner}", path.display())]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// The owner.
        owner: u32,
    },
    /// The permissions cannot be read.
    #[error("cannot read the permissions of {}: {reason}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
}

/// Checks a library and the folder it is in, both with symbolic links resolved.
pub(super) fn check(library: &Path) -> Result<(), PermissionProblem> {
    let real = library.canonicalize().map_err(|error| unreadable(library, &error))?;
    check_one(&real)?;
    real.parent().map_or(Ok(()), check_one)
}

#[cfg(unix)]
fn check_one(path: &Path) -> Result<(), PermissionProblem> {
    use std::os::unix::fs::MetadataExt as _;

    const GROUP: u32 = 0o020;
    const OTHERS: u32 = 0o002;
    let metadata = path.metadata().map_err(|error| unreadable(path, &error))?;
    let mode = metadata.mode() & 0o777;
    let who = match (mode & OTHERS != 0, mode & GROUP != 0) {
        (true, _) => Some("everyone"),
        (false, true) => Some("its group"),
        (false, false) => None,
    };
    if let Some(who) = who {
        return Err(PermissionProblem::Writable { path: path.to_owned(), who, mode });
    }
    let owner = metadata.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(PermissionProblem::Owner { path: path.to_owned(), owner });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_one(_: &Path) -> Result<(), PermissionProblem> {
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> PermissionProblem {
    PermissionProblem::Unreadable { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn refuses_what_others_can_write() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let library = folder.path().join("libpotato.so");
        std::fs::write(&library, b"x").expect("the folder is ours");
        for (file_mode, folder_mode, problem) in [
            (0o755, 0o755, None),
            (0o600, 0o700, None),
            (0o775, 0o755, Some("its group")),
            (0o757, 0o755, Some("everyone")),
            (0o755, 0o777, Some("everyone")),
        ] {
            let set = |path: &Path, mode| set_permissions(path, Permissions::from_mode(mode));
            set(&library, file_mode).expect("the file is ours");
            set(folder.path(), folder_mode).expect("the folder is ours");
            let found = match check(&library) {
                Err(PermissionProblem::Writable { who, .. }) => Some(who),
                Err(other) => panic!("unexpected: {other}"),
                Ok(()) => None,
            };
            assert_eq!(found, problem, "file {file_mode:o}, folder {folder_mode:o}");
        }
    }

    #[test]
    fn a_missing_file_is_a_problem() {
        let problem = check(Path::new("/no/such/library.so"));
        assert!(matches!(problem, Err(PermissionProblem::Unreadable { .. })));
    }
}
