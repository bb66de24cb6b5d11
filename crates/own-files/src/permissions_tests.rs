use std::fs::{Permissions, create_dir_all, set_permissions, write};
use std::os::unix::fs::{PermissionsExt as _, chown};

use super::*;

/// A group of which nobody is a member.
const STRANGE_GROUP: u32 = 4_000_000;

fn set(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

fn who_can_write(file: &Path) -> Option<(&'static str, PathBuf)> {
    match check_file(file, &file.metadata().expect("it is there")) {
        Err(PermissionProblem::Writable { who, path, .. }) => Some((who, path)),
        Err(other) => panic!("unexpected: {other}"),
        Ok(()) => None,
    }
}

#[test]
fn nobody_else_may_write_to_the_file_or_to_a_folder_above_it() {
    let root = tempfile::tempdir().expect("there is room for a folder");
    let root = root.path().canonicalize().expect("it is there");
    let folder = root.join("outer/inner");
    create_dir_all(&folder).expect("the folder is ours");
    let outer = folder.parent().expect("it was just made");
    let file = folder.join("libpotato.so");
    write(&file, b"x").expect("the folder is ours");
    for (file_mode, folder_mode, outer_mode, expected) in [
        (0o755, 0o755, 0o755, None),
        (0o600, 0o700, 0o700, None),
        (0o757, 0o755, 0o755, Some(&*file)),
        (0o755, 0o777, 0o755, Some(&*folder)),
        (0o755, 0o755, 0o777, Some(outer)),
        // Others can add files there, and neither rename nor remove this folder.
        (0o755, 0o755, 0o1777, None),
        // On a file the bit means nothing.
        (0o1757, 0o755, 0o755, Some(&*file)),
    ] {
        set(&file, file_mode);
        set(&folder, folder_mode);
        set(outer, outer_mode);
        let expected = expected.map(|path| ("everyone", path.to_owned()));
        assert_eq!(who_can_write(&file), expected, "{file_mode:o} {folder_mode:o} {outer_mode:o}");
    }
}

/// Only root can give a file to a group that it is not in.
#[test]
fn a_group_with_other_members_may_not_write() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().canonicalize().expect("it is there").join("libpotato.so");
    write(&file, b"x").expect("the folder is ours");
    if chown(&file, None, Some(STRANGE_GROUP)).is_ok() {
        set(&file, 0o775);
        assert_eq!(who_can_write(&file), Some(("its group", file.clone())));
    }
}

#[test]
fn a_file_of_another_user_is_a_problem() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().canonicalize().expect("it is there").join("libpotato.so");
    write(&file, b"x").expect("the folder is ours");
    if chown(&file, Some(4_000_000), None).is_ok() {
        let problem = check_file(&file, &file.metadata().expect("it is there"));
        assert_eq!(problem, Err(PermissionProblem::Owner { path: file, owner: 4_000_000 }));
    }
}

#[test]
fn the_hint_is_a_command() {
    let path = PathBuf::from("/srv/plugins");
    let problem = PermissionProblem::Writable { path, who: "everyone", mode: 0o777 };
    assert_eq!(problem.hint(), "take the write permission from others: chmod go-w '/srv/plugins'");
}

#[test]
fn in_a_user_namespace_an_unknown_owner_may_be_root() {
    for (owner, map, expected) in [
        (65534, "0 1000 1\n", true),
        (65534, "         0          0 4294967295\n", false),
        (1000, "0 1000 1\n", false),
        (65534, "", false),
    ] {
        assert_eq!(stands_for_unmapped(owner, "65534\n", map), expected, "{owner} in {map:?}");
    }
}
