//! Plugins and hosts of other versions of this repository: its sources in a copy, where everything
//! has another version but the boundary, which has its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubectl_pivot_plugin_api::PROTOCOL;

use crate::support::{Folder, made_by, render};

const THIS: &str = env!("CARGO_PKG_VERSION");

/// Versions of everything but the boundary, and the version of the messages that is spoken there.
const LATER: [(&str, &str); 2] = [("0.2.0", "1.4"), ("1.3.0", "1.9")];

#[test]
fn a_plugin_of_a_later_minor_version_works() {
    works_in_this_host(LATER[0]);
}

#[test]
#[ignore = "thorough: the case before, with a version that is farther away"]
fn a_plugin_of_a_later_major_version_works() {
    works_in_this_host(LATER[1]);
}

#[test]
#[ignore = "thorough: builds three hosts and six plugins, which compare the same layouts in all \
            directions"]
#[expect(clippy::print_stdout, reason = "the table is what the case is for")]
fn plugins_and_hosts_of_all_versions_work_together() {
    let here = PROTOCOL.to_string();
    let versions = [(THIS, here.as_str()), LATER[0], LATER[1]];
    let folder = Folder::new();
    let plugins = all_plugins(&versions, &folder);
    println!("| host | its protocol | plugin | language | build | |\n|---|---|---|---|---|---|");
    for (host_version, protocol) in versions {
        let host = build((host_version, protocol), &HOST, Profile::Debug);
        for Built { version, language, profile, file, said } in &plugins {
            let output = Command::new(&host).arg(file).output().expect("it was built");
            let problem = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{host_version}: {}: {problem}", file.display());
            let expected = format!("{host_version} speaks {protocol}, loads {said}\n");
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
            println!(
                "| {host_version} | {protocol} | {version} | {language} | {profile} | works |"
            );
        }
    }
}

/// A plugin of some version.
struct Built {
    version: String,
    language: &'static str,
    profile: &'static str,
    file: PathBuf,
    /// Name and version, as the plugin says them.
    said: String,
}

/// The plugin `docker` in every version and profile, and that in Go.
fn all_plugins(versions: &[(&str, &str)], folder: &Folder) -> Vec<Built> {
    let mut plugins = Vec::new();
    for &(version, protocol) in versions {
        for profile in [Profile::Debug, Profile::Release] {
            let library = build((version, protocol), &PLUGIN, profile);
            let name = format!("{}-{}", version.replace('.', "-"), profile.word());
            plugins.push(Built {
                version: version.to_owned(),
                language: "Rust",
                profile: profile.word(),
                file: folder.install(&library, &name),
                said: format!("docker {version}"),
            });
        }
    }
    let file = folder.path().join("kubectl-pivot-plugin-docker-go");
    build_in_go(&file);
    let (version, said) = ("0.1.0".to_owned(), "docker-go 0.1.0".to_owned());
    plugins.push(Built { version, language: "Go", profile: "-", file, said });
    plugins
}

fn works_in_this_host((version, protocol): (&str, &str)) {
    let folder = Folder::new();
    folder.trust(&folder.install(&build((version, protocol), &PLUGIN, Profile::Debug), "docker"));
    let plugin = folder.scan().load("docker").expect("the boundary is that of this host");
    let info = plugin.info();
    assert_eq!((&*info.version, &*info.protocol.to_string()), (version, protocol));
    assert_eq!(render(&plugin, "pivot").expect("the defaults are usable"), 7);
    assert_eq!(plugin.conformance(), Vec::<String>::new());
}

/// The example of the Go module, as its author builds it.
fn build_in_go(program: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-api/go");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(program).arg("./examples/docker").current_dir(folder);
    let built = go.env("GOWORK", "off").env("CGO_ENABLED", "0").status();
    assert!(built.expect("Go is installed: https://go.dev/dl").success());
}

/// A crate beside the copied sources.
struct Made {
    name: &'static str,
    source: Source,
    manifest: &'static str,
}

/// The profile that something is built with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Profile {
    Debug,
    Release,
}

impl Profile {
    fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// The place of the source of a crate.
enum Source {
    Folder(&'static str),
    Text(&'static str),
}

/// The plugin `docker` under another name: its own is that of a library of this build.
const PLUGIN: Made = Made {
    name: "plugin",
    source: Source::Folder("plugins/docker/src"),
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
    source: Source::Text(
        r#"
use kubectl_pivot_plugin_api::PROTOCOL;
use plugin_host::{Plugin, PluginFile};

fn main() {
    let path = std::env::args_os().nth(1).expect("a path");
    let file = PluginFile::inspect(path.as_ref()).expect("a library or a program");
    let plugin = Plugin::open(&file).expect("a plugin");
    assert_eq!(plugin.conformance(), Vec::<String>::new());
    let info = plugin.info();
    let version = env!("CARGO_PKG_VERSION");
    println!("{version} speaks {PROTOCOL}, loads {} {}", info.name, info.version);
}
"#,
    ),
    manifest: r"
[dependencies]
kubectl-pivot-plugin-api.workspace = true
kubectl-pivot-plugin-host.workspace = true
",
};

/// Copies the sources, gives them another version, and builds `made` with them: into the folder of
/// this build, where the crates from elsewhere are built already. So the name of `made` has the
/// version in it.
fn build((version, protocol): (&str, &str), made: &Made, profile: Profile) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is in that folder");
    let name = format!("{}-{}", made.name, version.replace('.', "-"));
    let copied = target.join("tmp").join(&name);
    for part in
        ["plugin-api", "crates/fuzz", "crates/plugin-host", "crates/own-files", "Cargo.lock"]
    {
        copy(&root.join(part), &copied.join(part), protocol);
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
    let source = copied.join("made/src");
    match made.source {
        Source::Folder(folder) => copy(&root.join(folder), &source, protocol),
        Source::Text(text) => put(&source.join("main.rs"), text.as_bytes()),
    }

    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--message-format=json", "--quiet", "--offline", "-p", &name]);
    cargo.arg("--target-dir").arg(target).current_dir(&copied);
    if profile == Profile::Release {
        cargo.arg("--release").env("CARGO_PROFILE_RELEASE_LTO", "off");
        cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    }
    made_by(cargo)
}

/// Copies a file or a folder, in which the messages get another version.
fn copy(from: &Path, to: &Path, protocol: &str) {
    if from.is_file() {
        let bytes = fs::read(from).expect("it is readable");
        let speaks = from.ends_with("plugin-api/src/protocol.rs");
        let bytes = if speaks { speaking(protocol, bytes) } else { bytes };
        return put(to, &bytes);
    }
    for entry in fs::read_dir(from).expect("a folder of the repository") {
        let name = entry.expect("it is readable").file_name();
        copy(&from.join(&name), &to.join(&name), protocol);
    }
}

fn speaking(protocol: &str, source: Vec<u8>) -> Vec<u8> {
    let (_, minor) = protocol.split_once('.').expect("of the form major.minor");
    let source = String::from_utf8(source).expect("a source is text");
    let of = |minor: &str| {
        format!("PROTOCOL: ProtocolVersion = ProtocolVersion {{ major: 1, minor: {minor} }};")
    };
    let here = of(&PROTOCOL.minor.to_string());
    assert!(source.contains(&here), "the version of the messages stands elsewhere now");
    source.replace(&here, &of(minor)).into_bytes()
}

/// A file that is there already keeps its time, so that cargo need not build it again.
fn put(path: &Path, bytes: &[u8]) {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return;
    }
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("there is room");
    fs::write(path, bytes).expect("there is room");
}
