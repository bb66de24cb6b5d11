//! Checks that nobody but the user and root could have changed a file.
//!
//! The rule is that of `StrictModes` of OpenSSH's server: the file and every folder above it belong
//! to the user or to root, and no one else can write to them. Two things are allowed besides: a
//! folder with the sticky bit, such as `/tmp`, where others can add files and touch no one else's;
//! and a group that has no member but the user, as Debian's OpenSSH allows it, since many systems
//! give every user such a group and a umask of 0002.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// The reason why a file is not safe to rely on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PermissionProblem {
    /// Others may write.
    #[error("{} can be written by {who} (mode {mode:03o})", path.display())]
    Writable {
        /// The file or folder.
        path: PathBuf,
        /// `its group` or `everyone`.
        who: &'static str,
        /// The permission bits.
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
        /// Message of the operating system.
        reason: String,
    },
}

impl PermissionProblem {
    /// Returns what the user can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Writable { path, .. } => {
                let path = path.display().to_string().replace('\'', r"'\''");
                format!("take the write permission from others: chmod go-w '{path}'")
            }
            Self::Owner { path, .. } => format!(
                "give it to you or root with chown, or use a folder of your own instead of {}",
                path.display()
            ),
            Self::Unreadable { .. } => "check the path and your permissions".to_owned(),
        }
    }
}

/// Checks an open file, whose path has no symbolic links, and all folders above it.
///
/// # Errors
/// Someone but the user and root could have changed or replaced the file.
pub fn check_file(real: &Path, opened: &Metadata) -> Result<(), PermissionProblem> {
    check_one(real, opened)?;
    real.parent().map_or(Ok(()), check_folders)
}

/// Checks a folder, whose path has no symbolic links, and all folders above it.
///
/// # Errors
/// Someone but the user and root could replace what is in it.
pub fn check_folders(real: &Path) -> Result<(), PermissionProblem> {
    real.ancestors().try_for_each(|folder| {
        let metadata = folder.symlink_metadata().map_err(|error| unreadable(folder, &error))?;
        check_one(folder, &metadata)
    })
}

/// Checks a folder that may not be there yet: then the one that it would be made in, and all
/// folders above that.
///
/// # Errors
/// Someone but the user and root could change what is in it, or put another folder in its place.
pub fn check_place(folder: &Path) -> Result<(), PermissionProblem> {
    let failed = |error: std::io::Error| unreadable(folder, &error);
    let absolute = std::path::absolute(folder).map_err(failed)?;
    let there = absolute.ancestors().find(|ancestor| ancestor.exists());
    check_folders(&there.unwrap_or(Path::new("/")).canonicalize().map_err(failed)?)
}

#[cfg(unix)]
fn check_one(path: &Path, metadata: &Metadata) -> Result<(), PermissionProblem> {
    use std::os::unix::fs::MetadataExt as _;

    use crate::groups::is_mine_alone;

    const STICKY: u32 = 0o1000;
    const GROUP: u32 = 0o020;
    const OTHERS: u32 = 0o002;
    let (path, owner, mode) = (path.to_owned(), metadata.uid(), metadata.mode());
    if owner != 0 && owner != rustix::process::geteuid().as_raw() && !is_unmapped(owner) {
        return Err(PermissionProblem::Owner { path, owner });
    }
    if metadata.is_dir() && mode & STICKY != 0 {
        return Ok(());
    }
    let mode = mode & 0o777;
    if mode & OTHERS != 0 {
        return Err(PermissionProblem::Writable { path, who: "everyone", mode });
    }
    if mode & GROUP != 0 && !is_mine_alone(metadata.gid()) {
        return Err(PermissionProblem::Writable { path, who: "its group", mode });
    }
    Ok(())
}

/// Says that an owner stands for all users that a user namespace does not know, root of the machine
/// among them.
#[cfg(unix)]
fn is_unmapped(owner: u32) -> bool {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    stands_for_unmapped(owner, &read("/proc/sys/kernel/overflowuid"), &read("/proc/self/uid_map"))
}

/// Judges an owner by the number of the kernel for unknown users, and by what this namespace knows.
#[cfg(unix)]
fn stands_for_unmapped(owner: u32, overflow: &str, map: &str) -> bool {
    let knows_all = |line: &str| line.split_whitespace().eq(["0", "0", "4294967295"]);
    overflow.trim().parse() == Ok(owner) && !map.is_empty() && !map.lines().any(knows_all)
}

#[cfg(not(unix))]
fn check_one(_: &Path, _: &Metadata) -> Result<(), PermissionProblem> {
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> PermissionProblem {
    PermissionProblem::Unreadable { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(all(test, unix))]
#[path = "permissions_tests.rs"]
mod tests;
