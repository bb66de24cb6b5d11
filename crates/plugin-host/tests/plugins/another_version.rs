//! Plugins and hosts of other versions of this repository: its sources in a copy, where everything
//! has another version but the boundary, which has its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubectl_pivot_plugin_api::ProbesRequest;

use crate::support::{Folder, docker, made_by};

const THIS: &str = env!("CARGO_PKG_VERSION");

#[test]
fn a_plugin_of_a_later_minor_version_works() {
    works_in_this_host("0.2.0");
}

#[test]
#[ignore = "thorough: the case before, with a version that is farther away"]
fn a_plugin_of_a_later_major_version_works() {
    works_in_this_host("1.3.0");
}

#[test]
#[ignore = "thorough: builds two hosts, which compare the same two layouts the other way round"]
fn a_plugin_of_this_version_works_in_later_hosts() {
    for version in ["0.2.0", "1.3.0"] {
        let mut host = Command::new(build(version, &HOST));
        let folder = Folder::new();
        let output = host.arg(folder.install(docker(), "docker")).output().expect("it was built");
        let said = String::from_utf8_lossy(&output.stdout);
        let problem = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, format!("{version} loads docker {THIS}\n"), "{problem}");
    }
}

fn works_in_this_host(version: &str) {
    let folder = Folder::new();
    folder.trust(&folder.install(&build(version, &PLUGIN), "probing"));
    let plugin = folder.scan().load("probing").expect("the boundary is that of this host");
    let infrastructure = plugin.infrastructure().expect("it says so");
    assert_eq!(infrastructure.probes(&ProbesRequest::default()).expect("it has none"), []);
}

/// A crate beside the copied sources.
struct Made {
    name: &'static str,
    file: &'static str,
    source: &'static str,
    manifest: &'static str,
}

const PLUGIN: Made = Made {
    name: "plugin",
    file: "src/lib.rs",
    source: include_str!("../../../../plugin-api/examples/probing.rs"),
    manifest: r#"
[lib]
crate-type = ["cdylib"]

[dependencies]
kubectl-pivot-plugin-api.workspace = true
serde_json.workspace = true
"#,
};

const HOST: Made = Made {
    name: "host",
    file: "src/main.rs",
    source: r#"
use kubectl_pivot_plugin_host::{Plugin, PluginFile};

fn main() {
    let path = std::env::args_os().nth(1).expect("a path");
    let file = PluginFile::inspect(path.as_ref()).expect("a library");
    let plugin = Plugin::open(&file).expect("a plugin");
    assert_eq!(plugin.conformance(), Vec::<String>::new());
    let info = plugin.info();
    println!("{} loads {} {}", env!("CARGO_PKG_VERSION"), info.name, info.version);
}
"#,
    manifest: "\n[dependencies]\nkubectl-pivot-plugin-host.workspace = true\n",
};

/// Copies the sources, gives them another version, and builds `made` with them: into the folder of
/// this build, where the crates from elsewhere are built already. So the name of `made` has the
/// version in it.
fn build(version: &str, made: &Made) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in that folder");
    let name = format!("{}-{}", made.name, version.replace('.', "-"));
    let copied = target.join("tmp").join(&name);
    for part in ["plugin-api", "crates/plugin-host", "crates/own-files", "Cargo.lock"] {
        copy(&root.join(part), &copied.join(part));
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("it is readable");
    let members = manifest.lines().find(|line| line.starts_with("members = "));
    let wanted = r#"members = ["crates/*", "plugin-api", "plugin-api/abi", "made"]"#;
    let manifest = manifest
        .replace(&format!("version = \"{THIS}\""), &format!("version = \"{version}\""))
        .replace(members.expect("the workspace has members"), wanted);
    put(&copied.join("Cargo.toml"), manifest.as_bytes());
    let package =
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n");
    put(&copied.join("made/Cargo.toml"), (package + made.manifest).as_bytes());
    put(&copied.join("made").join(made.file), made.source.as_bytes());

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--message-format=json", "--quiet", "--offline", "-p", &name]);
    cargo.arg("--target-dir").arg(target).current_dir(&copied);
    made_by(cargo)
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        return put(to, &fs::read(from).expect("it is readable"));
    }
    for entry in fs::read_dir(from).expect("a folder of the repository") {
        let name = entry.expect("it is readable").file_name();
        copy(&from.join(&name), &to.join(&name));
    }
}

/// What is there already keeps its time, so that cargo need not build it again.
fn put(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return;
    }
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("there is room");
    fs::write(path, bytes).expect("there is room");
}
