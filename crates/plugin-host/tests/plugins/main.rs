//! Real libraries in a real host: whatever a plugin does, one clear error, and the host lives.

mod another_version;
mod frozen;
mod guarded;
mod support;

use std::fs;
use std::process::Command;

use kubectl_pivot_plugin_api::{ErrorCode, Maturity, ProbesRequest};
use plugin_host::{
    CallError, Found, LoadError, Lock, Origin, Plugin, PluginFile, PluginFileError, SelectError,
    Trust, install, remove,
};
use support::{Folder, build_with, docker, misbehaving, of_another_time, render, set_mode};

#[test]
fn a_trusted_plugin_works() {
    let folder = Folder::new();
    folder.trust(&folder.install(docker(), "docker"));
    let registry = folder.scan();
    let [found] = registry.all() else { panic!("one plugin was installed") };
    assert_eq!(found.name(), "docker");
    assert!(matches!(found.trust, Trust::Trusted(_)));
    let plugin = registry.load("docker").expect("it is trusted");
    assert_eq!(plugin.info().maturity, Maturity::Stable);
    assert_eq!(render(&plugin, "pivot").expect("the defaults are usable"), 7);
    assert_eq!(plugin.conformance(), Vec::<String>::new());
}

#[test]
fn listing_loads_nothing_and_untrusted_plugins_are_refused() {
    let folder = Folder::new();
    folder.install(docker(), "kubectl_pivot_plugin_docker");
    let registry = folder.scan();
    assert!(matches!(registry.all(), [Found { trust: Trust::Unknown(_), sidecar: Err(_), .. }]));
    let error = registry.load("docker").expect_err("nobody trusts it");
    assert!(error.to_string().contains("no hash was trusted"), "{error}");
}

#[test]
fn a_plugin_that_changed_is_refused() {
    let folder = Folder::new();
    let path = folder.install(docker(), "docker");
    folder.trust(&path);
    let trusted = folder.scan();
    let mut bytes = fs::read(docker()).expect("it was just built");
    bytes.push(0);
    folder.put("docker", &bytes);
    let error = trusted.load("docker").expect_err("it changed since the scan");
    assert!(matches!(error, LoadError::File(PluginFileError::Untrusted { .. })), "{error}");
    assert!(matches!(folder.scan().all(), [Found { trust: Trust::Changed { .. }, .. }]));
}

#[test]
fn installing_replaces_and_removing_forgets() {
    let (folder, user) = (Folder::new(), Folder::new());
    let source = folder.install(docker(), "any_name");
    for _ in 0..2 {
        let installed = install(&source, user.path()).expect("it is a plugin");
        assert_eq!(installed.plugin.info().name, "docker");
        assert_eq!(installed.path.parent(), Some(user.path()));
    }
    let registry = user.scan();
    let [found] = registry.all() else { panic!("it was installed once") };
    assert_eq!(found.sidecar.as_ref().map(|s| s.info.name.as_str()).ok(), Some("docker"));
    assert!(registry.load("docker").is_ok());
    remove("docker", user.path()).expect("it is installed");
    assert_eq!(user.scan().all().len(), 0);
    assert_eq!(Lock::read(user.path()).expect("it is readable"), Lock::default());
    assert!(remove("docker", user.path()).is_err(), "it is gone");
}

#[test]
fn several_plugins_of_one_type_are_all_themselves() {
    let folder = Folder::new();
    folder.trust(&folder.install(docker(), "docker"));
    folder.trust(&folder.install(misbehaving(), "misbehaving"));
    let registry = folder.scan();
    for name in ["docker", "misbehaving", "docker"] {
        assert_eq!(registry.load(name).expect("it is trusted").info().name, name);
    }
}

#[test]
fn misbehaviour_is_an_error_and_nothing_more() {
    let folder = Folder::new();
    folder.trust(&folder.install(misbehaving(), "misbehaving"));
    let plugin = folder.scan().load("misbehaving").expect("it is trusted");
    assert_eq!(plugin.info().maturity, Maturity::Unknown);
    for (name, code, part) in [
        ("panic", ErrorCode::Panic, "misbehaving.rs:"),
        ("panic", ErrorCode::Panic, ": asked to panic"),
        ("panic-with-a-bomb", ErrorCode::Panic, "a panic without a message"),
        ("sulk", ErrorCode::Internal, "does not know how to `sulk`"),
    ] {
        match render(&plugin, name).expect_err("it misbehaves") {
            CallError::Refused { source, .. } => {
                assert_eq!(source.code, code, "{name}");
                assert!(source.message.contains(part), "{name}: {}", source.message);
            }
            other => panic!("{name}: {other}"),
        }
    }
    let error = render(&plugin, "rubbish").expect_err("it is not JSON");
    assert!(matches!(error, CallError::Answer { .. }), "{error}");
    assert_eq!(render(&plugin, "future").expect("the future is tolerated"), 0);
    assert_eq!(render(&plugin, "talk").expect("logging is allowed"), 0);
    assert!(!plugin.conformance().is_empty());
}

#[test]
fn files_that_are_no_plugins_are_listed_with_their_reason() {
    let folder = Folder::new();
    let whole = fs::read(docker()).expect("it was just built");
    for tenth in 0..10 {
        folder.put(&format!("cut{tenth}"), &whole[..whole.len() * tenth / 10]);
    }
    folder.put("text", b"#!/bin/sh\n");
    let mut foreign = whole.clone();
    foreign[18..20].copy_from_slice(&243_u16.to_le_bytes());
    folder.put("foreign", &foreign);
    set_mode(&folder.put("writable", &whole), 0o777);
    folder.trust(&folder.install(docker(), "docker"));

    let registry = folder.scan();
    for found in registry.all() {
        match &found.trust {
            Trust::Trusted(_) => assert_eq!(found.name(), "docker"),
            Trust::Broken(error @ PluginFileError::Permissions { .. }) => {
                assert_eq!(found.name(), "writable", "{error}");
            }
            Trust::Broken(error) => {
                assert!(matches!(error, PluginFileError::Header { .. }), "{error}");
                assert!(found.load().is_err());
            }
            other => panic!("{}: {other:?}", found.name()),
        }
    }
    assert_eq!(registry.all().len(), 14);
    assert!(registry.load("docker").is_ok(), "the others work");
}

#[test]
fn a_library_that_is_no_plugin_is_named_as_such() {
    let library = fs::read_dir(docker().parent().expect("it is in a folder").join("deps"))
        .expect("cargo builds into it")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.starts_with("libserde_derive-") && name.ends_with(".so")
        })
        .expect("serde's macros are a dynamic library");
    let folder = Folder::new();
    let path = folder.install(&library, "other");
    let error = Plugin::open(&PluginFile::inspect(&path).expect("a proper library"));
    let error = error.expect_err("it exports no header");
    // Macros are linked against the compiler, which may not be found.
    assert!(
        matches!(error, PluginFileError::NotAPlugin { .. } | PluginFileError::Open { .. }),
        "{error}"
    );
}

/// Only the crate of the plugin is built with `abort`; that is enough to end the host.
#[test]
fn a_plugin_whose_panics_abort_is_refused() {
    let example = ["rustc", "-p", "kubectl-pivot-fixtures", "--example", "aborting"];
    let arguments = [&example[..], &["--", "-C", "panic=abort"]].concat();
    let library = build_with(Command::new(env!("CARGO")), &arguments);
    let folder = Folder::new();
    let path = folder.install(&library, "aborting");
    let error = Plugin::open(&PluginFile::inspect(&path).expect("a proper library"));
    let error = error.expect_err("one panic would end this test");
    assert!(matches!(error, PluginFileError::PanicAbort { .. }), "{error}");
}

/// Without optimisations that take long: what matters is that compiler and profile are not those of
/// this host.
#[test]
#[ignore = "thorough: needs a second toolchain, `rustup toolchain install nightly --profile \
            minimal`"]
fn a_plugin_of_another_toolchain_and_profile_works() {
    let target = concat!(env!("CARGO_TARGET_TMPDIR"), "/nightly");
    let mut cargo = Command::new("rustup");
    cargo.args(["run", "nightly", "cargo"]).env_remove("RUSTC").env_remove("RUSTDOC");
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    let plugin = ["build", "-p", "kubectl-pivot-plugin-none", "--release", "--target-dir", target];
    let folder = Folder::new();
    folder.trust(&folder.install(&build_with(cargo, &plugin), "none"));
    let plugin = folder.scan().load("none").expect("it is trusted");
    assert_eq!(plugin.conformance(), Vec::<String>::new());
}

/// A plugin of another level of the boundary or of another protocol, as a real library.
#[test]
fn plugins_of_another_time_work_or_are_refused_with_both_versions() {
    for (protocol, in_digits) in [("1.0", "01.00"), ("1.99", "01.99")] {
        let folder = Folder::new();
        folder.trust(&of_another_time(&folder, "01", in_digits));
        let plugin = folder.scan().load("versions").expect("the same major version");
        assert_eq!(plugin.info().protocol.to_string(), protocol);
        let infrastructure = plugin.infrastructure().expect("it says so");
        // It does not know the question, and so has nothing to say.
        let probes = infrastructure.probes(&ProbesRequest::default());
        assert_eq!(probes.expect("nothing to say"), Vec::new());
        assert!(plugin.variables().is_err(), "what every plugin has to know");
    }
    for (abi_level, protocol, expected) in [
        ("00", "01.00", "has ABI level 0, this program has 1"),
        ("02", "01.00", "has ABI level 2, this program has 1"),
        ("01", "00.09", "speaks protocol 0.9, this program speaks 1.3"),
        ("01", "02.00", "speaks protocol 2.0, this program speaks 1.3"),
    ] {
        let folder = Folder::new();
        folder.trust(&folder.install(docker(), "docker"));
        let path = of_another_time(&folder, abi_level, protocol);
        let error = Plugin::open(&PluginFile::inspect(&path).expect("a proper library"));
        let error = error.expect_err("another time").to_string();
        assert!(error.ends_with(expected), "{error}");
        assert!(install(&path, folder.path()).is_err(), "it is not installed either");
        assert!(folder.scan().load("docker").is_ok(), "the others work");
    }
}

#[test]
fn two_plugins_of_one_name_need_a_choice() {
    let (folder, other) = (Folder::new(), Folder::new());
    folder.trust(&folder.install(docker(), "docker"));
    let mut bytes = fs::read(docker()).expect("it was just built");
    other.put("kubectl_pivot_plugin_docker", &bytes);
    let both = |origin| folder.scan_with(&[(other.path(), origin), (folder.path(), Origin::User)]);
    assert!(both(Origin::Environment).load("docker").is_ok(), "both are the same library");

    bytes.push(0);
    other.put("kubectl_pivot_plugin_docker", &bytes);
    let registry = both(Origin::Environment);
    match registry.select("docker") {
        Err(SelectError::Ambiguous { paths, .. }) => assert_eq!(paths.len(), 2),
        found => panic!("unexpected: {found:?}"),
    }
    let chosen = both(Origin::Flag);
    assert_eq!(chosen.select("docker").map(|found| found.origin), Ok(Origin::Flag));
    let error = chosen.select("dokcer").expect_err("a typing error");
    let similar = vec!["docker".to_owned()];
    assert_eq!(error, SelectError::Unknown { name: "dokcer".to_owned(), similar });
}
