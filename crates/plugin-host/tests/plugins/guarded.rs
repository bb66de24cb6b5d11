//! The trusted bytes are the loaded ones, no matter who else writes to the folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use plugin_host::{
    InstallError, Lock, LockError, Origin, PermissionProblem, Plugin, PluginFile, PluginFileError,
    Trust, install,
};

use crate::support::{Folder, docker, misbehaving, set_mode};

/// Without the check of the bytes that are loaded, the other plugin would have run here.
#[test]
fn a_library_that_is_replaced_after_it_was_hashed_is_not_opened() {
    let folder = Folder::new();
    let file = PluginFile::inspect(&folder.install(docker(), "docker")).expect("a library");
    folder.install(misbehaving(), "docker");
    let error = Plugin::open(&file).expect_err("it is another library");
    assert!(matches!(error, PluginFileError::Untrusted { .. }), "{error}");
}

/// The path could lead elsewhere when the dynamic linker follows it.
#[test]
#[cfg(target_os = "linux")]
fn the_mapped_library_is_a_sealed_copy_and_not_the_file() {
    let folder = Folder::new();
    folder.trust(&folder.install(docker(), "docker"));
    folder.scan().load("docker").expect("it is trusted");
    let maps = fs::read_to_string("/proc/self/maps").expect("it is readable");
    let place = folder.path().to_string_lossy().into_owned();
    assert!(maps.contains("/memfd:kubectl-pivot-plugin") && !maps.contains(&place), "{maps}");
}

#[test]
fn a_folder_far_above_that_others_can_write_breaks_a_plugin() {
    let outer = tempfile::tempdir().expect("there is room for a folder");
    let inner = outer.path().join("a/b/plugins");
    install(docker(), &inner).expect("all of it is ours");
    let folder = Folder::at(&inner);
    assert!(matches!(folder.scan().all()[0].trust, Trust::Trusted(_)));

    set_mode(&outer.path().join("a"), 0o777);
    let registry = folder.scan();
    let Trust::Broken(error) = &registry.all()[0].trust else { panic!("others can replace it") };
    assert!(error.hint().ends_with(&format!("chmod go-w '{}'", real(&outer.path().join("a")))));
    let unread: Vec<_> = registry.unread_locks().collect();
    assert!(matches!(
        unread[..],
        [LockError::Permissions {
            source: PermissionProblem::Writable { who: "everyone", .. },
            ..
        }]
    ));
    assert!(registry.load("docker").is_err());

    // Others cannot rename what is not theirs.
    set_mode(&outer.path().join("a"), 0o1777);
    assert!(folder.scan().load("docker").is_ok());
}

#[test]
fn a_plugin_is_installed_from_anywhere_and_only_where_nobody_else_can_write() {
    let (downloads, user) = (Folder::new(), Folder::new());
    let download = downloads.install(docker(), "docker");
    set_mode(&download, 0o666);
    set_mode(downloads.path(), 0o777);
    let installed = install(&download, user.path()).expect("the user names these bytes").path;
    let mode = installed.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    assert!(user.scan().load("docker").is_ok());

    let before = fs::read_dir(downloads.path()).expect("it is ours").count();
    let error = install(&download, downloads.path()).expect_err("others can write there");
    let InstallError::File(PluginFileError::Permissions { .. }) = error else { panic!("{error}") };
    assert_eq!(fs::read_dir(downloads.path()).expect("it is ours").count(), before);
}

#[test]
fn a_damaged_lock_trusts_nothing_and_hides_nothing() {
    let folder = Folder::new();
    folder.trust(&folder.install(docker(), "docker"));
    fs::write(folder.path().join("plugins.lock.json"), "{").expect("the folder is ours");
    let registry = folder.scan();
    let unread: Vec<_> = registry.unread_locks().collect();
    assert!(matches!(unread[..], [LockError::Malformed { .. }]));
    assert_eq!(registry.all()[0].name(), "docker");
    assert!(registry.load("docker").is_err(), "it is not trusted");
    assert!(registry.with_locks_in_order().is_err());
    assert!(matches!(Lock::read(folder.path()), Err(LockError::Malformed { .. })));
}

/// As of a program that root has unpacked with the ids of the one who packed it.
#[test]
fn a_lock_beside_the_program_that_others_can_write_takes_no_other_plugin_away() {
    let (bundled, user) = (Folder::new(), Folder::new());
    bundled.trust(&bundled.install(docker(), "docker"));
    user.trust(&user.install(misbehaving(), "misbehaving"));
    set_mode(&bundled.path().join("plugins.lock.json"), 0o666);
    let folders = [(bundled.path(), Origin::Bundled), (user.path(), Origin::User)];
    let registry = user.scan_with(&folders);
    assert_eq!(registry.unread_locks().count(), 1);
    let registry = registry.with_locks_in_order().expect("the user's lock is in order");
    assert!(registry.load("docker").is_err(), "nothing that can be relied on trusts it");
    assert!(registry.load("misbehaving").is_ok());
}

#[test]
fn a_fifo_and_a_folder_among_the_plugins_do_not_hang() {
    let folder = Folder::new();
    folder.trust(&folder.install(docker(), "docker"));
    let fifo = |name: &str| {
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status();
        assert!(made.expect("mkfifo is everywhere").success());
    };
    fifo(&format!("libpipe.{}", std::env::consts::DLL_EXTENSION));
    fifo("libpipe.plugin.json");
    let registry = folder.scan();
    let pipe = registry.all().iter().find(|found| found.name() == "pipe").expect("it is listed");
    let Trust::Broken(error) = &pipe.trust else { panic!("it is no library") };
    assert!(matches!(error, PluginFileError::Read { .. }), "{error}");
    assert!(registry.load("docker").is_ok(), "the others work");
}

fn real(path: &Path) -> String {
    path.canonicalize().expect("it is there").display().to_string()
}
