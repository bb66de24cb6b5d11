//! Plugins by name: packaged, pushed to a real registry, installed, pinned, upgraded.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::plugins::{User, library};
use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::registry::Registry;
use minisign::KeyPair;
use sandbox::Part;
use serde_json::{Value, json};
use support::causes::in_one_line;
use support::journal::Events;

use crate::{REFUSED, USAGE, list};

/// A registry, and a user who knows its certificate.
struct Scenario {
    registry: Registry,
    user: User,
}

impl Scenario {
    async fn set() -> Self {
        let part = Part::Registry.resolve(&parts::options(), &Events::none()).await;
        let part = part.unwrap_or_else(|error| panic!("{}", in_one_line(&error)));
        Self { registry: Registry::open(&part).await, user: User::new() }
    }

    fn program(&self, user: &User) -> Program {
        user.program().env("SSL_CERT_FILE", &self.registry.authority().display().to_string())
    }

    async fn plugin(&self, words: &[&str]) -> Outcome {
        self.program(&self.user).run([&["plugin"], words].concat()).await
    }

    fn source(&self, name: &str) -> String {
        format!("oci://{}/plugins/{name}", self.registry.address())
    }

    /// Packages a version of the script `potato` and pushes it.
    async fn push(&self, version: &str, more: &[&str]) -> Value {
        let script = potato(self.user.home(), version);
        let (script, source) = (script.display().to_string(), self.source("potato"));
        let words = ["package", &script, "--push", &source, "-o", "json"];
        let outcome = self.plugin(&[&words[..], more].concat()).await;
        outcome.expect_success("plugin package").json()
    }

    async fn version(&self) -> Option<String> {
        let plugins = list(&self.user, &[]).await;
        let plugin = plugins.iter().find(|plugin| plugin["name"] == "potato")?;
        assert_eq!(plugin["trust"], "trusted", "{plugin}");
        plugin["version"].as_str().map(str::to_owned)
    }
}

/// A plugin that is a script, and runs everywhere.
fn potato(folder: &Path, version: &str) -> PathBuf {
    let path = folder.join("kubectl-pivot-plugin-potato");
    let info = json!({"answer": {"name": "potato", "kind": "infrastructure", "version": version,
        "description": "Clusters of potatoes", "provider": "potato", "protocol": "1.1"}});
    let text = format!(
        "#!/bin/sh\nread -r line\ncase $line in\n*'\"method\":\"info\"'*) echo '{info}' ;;\n\
         *) echo '{{\"answer\": []}}' ;;\nesac\n"
    );
    fs::write(&path, text).expect("the home is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}

#[tokio::test]
async fn a_plugin_is_installed_and_upgraded_by_name() {
    let scenario = Scenario::set().await;
    let folder = scenario.user.home().join("artifact").display().to_string();
    let packaged = scenario.push("1.0.0", &["--to", &folder, "--publisher", "Potato Inc"]).await;
    assert_eq!(packaged["platforms"], json!(["any"]));
    assert_layout(Path::new(&folder), packaged["digest"].as_str().expect("a digest"));
    let wanted = format!("{}:1.0.0", scenario.source("potato"));
    assert_eq!(packaged["source"], json!(wanted));

    // Nobody is there to answer.
    let unasked = scenario.plugin(&["install", &wanted]).await;
    assert_eq!((unasked.code, scenario.version().await), (REFUSED, None), "{unasked}");
    let installed = scenario.plugin(&["install", &wanted, "--yes"]).await;
    let installed = installed.expect_success("plugin install");
    for said in ["Potato Inc, which nothing proves", "infrastructure, a program", "1.0.0"] {
        assert!(installed.says(said), "{said}: {installed}");
    }
    assert!(installed.says(packaged["digest"].as_str().expect("a digest")), "{installed}");
    assert_eq!(scenario.version().await.as_deref(), Some("1.0.0"));

    let newest = async || {
        let outdated = scenario.plugin(&["outdated", "-o", "json"]).await;
        outdated.expect_success("plugin outdated").json()["plugins"][0]["newest"].clone()
    };
    assert_eq!(newest().await, json!(null));
    scenario.push("1.1.0", &[]).await;
    scenario.push("2.0.0-rc.1", &[]).await;
    assert_eq!(newest().await, "1.1.0", "a version before a release is for those who have one");
    scenario.plugin(&["upgrade", "--yes"]).await.expect_success("plugin upgrade");
    assert_eq!(scenario.version().await.as_deref(), Some("1.1.0"));
    let again = scenario.plugin(&["upgrade"]).await.expect_success("nothing is newer");
    assert!(again.says("Nothing was upgraded"), "{again}");

    for (source, code, said) in [
        (format!("{}:9.9.9", scenario.source("potato")), REFUSED, "check name and version"),
        (scenario.source("potato"), USAGE, "names no version"),
        ("oci://127.0.0.1:1/potato:1.0.0".to_owned(), REFUSED, "check the host"),
    ] {
        let outcome = scenario.plugin(&["install", &source, "--yes"]).await;
        assert_eq!(outcome.code, code, "{outcome}");
        assert!(outcome.says(said), "{said}: {outcome}");
    }
    let local = scenario.plugin(&["upgrade", "docker"]).await;
    assert_eq!(local.code, USAGE, "{local}");
}

/// Every file in the folder of an artifact has the name of its own hash, which is not this
/// program's word.
fn assert_layout(folder: &Path, digest: &str) {
    let blobs = folder.join("blobs/sha256");
    let files = fs::read_dir(&blobs).expect("there are blobs");
    let files = files.map(|blob| blob.expect("readable").path());
    let mut sum = std::process::Command::new("sha256sum");
    let output = sum.arg("--").args(files).output().expect("sha256sum is everywhere");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(lines.lines().count(), 4, "script, description, manifest, index: {lines}");
    for line in lines.lines() {
        let (hash, path) = line.split_once("  ").expect("a sum and a path");
        assert!(path.ends_with(hash), "{line}");
    }
    let index = fs::read_to_string(folder.join("index.json")).expect("there is an index");
    let index: Value = serde_json::from_str(&index).expect("JSON");
    assert_eq!(index["manifests"][0]["digest"], digest);
}

#[tokio::test]
async fn a_team_pins_its_plugins() {
    let scenario = Scenario::set().await;
    let docker = library("docker").display().to_string();
    let source = scenario.source("docker");
    scenario.plugin(&["package", &docker, "--push", &source]).await.expect_success("package");
    let lock = scenario.user.home().join("team.lock.json");
    let file = lock.display().to_string();
    let wanted = format!("{source}:{}", env!("CARGO_PKG_VERSION"));
    let install = ["install", &wanted, "--yes", "--plugin-lock", &file];
    scenario.plugin(&install).await.expect_success("plugin install");

    // A colleague gets the same bytes, and nobody asks them.
    let colleague = User::with(&["in-memory"]).await;
    let program = scenario.program(&colleague);
    let locked = ["plugin", "install", "--plugin-lock", &file];
    program.run(locked).await.expect_success("plugin install --plugin-lock");
    let render = |name: &'static str| ["render", "pivot", "-i", name, "--plugin-lock", &file];
    program.run(render("docker")).await.expect_success("render");
    // Trusted by the colleague is not trusted by the team.
    let other = program.run(render("in-memory")).await;
    assert_eq!(other.code, REFUSED, "{other}");
    assert!(other.says("is not trusted"), "{other}");

    let text = fs::read_to_string(&lock).expect("it was written");
    let mut document: Value = serde_json::from_str(&text).expect("JSON");
    let files = document["artifacts"]["docker"]["files"].as_object_mut().expect("files");
    files.values_mut().for_each(|hash| *hash = json!("0".repeat(64)));
    fs::write(&lock, document.to_string()).expect("the home is ours");
    let changed = program.run(locked).await;
    assert_eq!(changed.code, REFUSED, "{changed}");
    assert!(changed.says("is not what the lock file names"), "{changed}");
    assert_eq!(program.run(render("docker")).await.code, REFUSED);
}

#[tokio::test]
async fn a_publisher_is_known_by_their_key() {
    let scenario = Scenario::set().await;
    let keys = || KeyPair::generate_unencrypted_keypair().expect("there is randomness");
    let (publisher, stranger) = (keys(), keys());
    let sign = |version: &str, keys: &KeyPair| {
        let script = potato(scenario.user.home(), version);
        let bytes = fs::File::open(&script).expect("it was written");
        let signature = minisign::sign(Some(&keys.pk), &keys.sk, bytes, None, None);
        let signature = signature.expect("it can be signed").into_string();
        fs::write(script.with_extension("minisig"), signature).expect("the home is ours");
    };
    sign("1.0.0", &publisher);
    scenario.push("1.0.0", &[]).await;
    let wanted = format!("{}:1.0.0", scenario.source("potato"));
    let install =
        async |key: &str| scenario.plugin(&["install", &wanted, "--yes", "--key", key]).await;
    for (key, code, said) in [
        ("nonsense".to_owned(), USAGE, "is not a public key"),
        (stranger.pk.to_base64(), REFUSED, "the signature is not by the key"),
    ] {
        let outcome = install(&key).await;
        assert_eq!((outcome.code, scenario.version().await), (code, None), "{outcome}");
        assert!(outcome.says(said), "{outcome}");
    }
    let secret = scenario.user.home().join("minisign.key");
    let text = "untrusted comment: minisign encrypted secret key\nRWRTY0IySECRET\n";
    fs::write(&secret, text).expect("the home is ours");
    let mistaken = install(&secret.display().to_string()).await;
    assert_eq!(mistaken.code, USAGE, "{mistaken}");
    assert!(mistaken.says("stays with the publisher") && !mistaken.says("SECRET"), "{mistaken}");
    install(&publisher.pk.to_base64()).await.expect_success("the publisher has signed it");

    // A registry can show the signed file of an old version under any tag.
    let script = scenario.user.home().join("kubectl-pivot-plugin-potato").display().to_string();
    let newer = format!("{}:1.0.1", scenario.source("potato"));
    let copied = scenario.plugin(&["package", &script, "--push", &newer]).await;
    copied.expect_success("plugin package");
    let old = scenario.plugin(&["upgrade"]).await;
    assert_eq!(old.code, REFUSED, "{old}");
    assert!(old.says("should be potato 1.0.1, and its index says potato 1.0.0"), "{old}");
    assert_eq!(scenario.version().await.as_deref(), Some("1.0.0"));

    // The key is remembered: an upgrade needs a signature by it, and no question.
    fs::remove_file(scenario.user.home().join("kubectl-pivot-plugin-potato.minisig"))
        .expect("ours");
    scenario.push("1.1.0", &[]).await;
    let unsigned = scenario.plugin(&["upgrade", "potato", "--yes"]).await;
    assert_eq!(unsigned.code, REFUSED, "{unsigned}");
    assert!(unsigned.says("is not signed"), "{unsigned}");
    let newest = format!("{}:1.1.0", scenario.source("potato"));
    let without_key = scenario.plugin(&["install", &newest, "--yes"]).await;
    assert_eq!(without_key.code, REFUSED, "{without_key}");
    assert!(without_key.says("is not signed"), "{without_key}");
    sign("1.2.0", &stranger);
    scenario.push("1.2.0", &[]).await;
    assert_eq!(scenario.plugin(&["upgrade"]).await.code, REFUSED);
    assert_eq!(scenario.version().await.as_deref(), Some("1.0.0"));
    sign("1.3.0", &publisher);
    scenario.push("1.3.0", &[]).await;
    scenario.plugin(&["upgrade"]).await.expect_success("the publisher has signed it");
    assert_eq!(scenario.version().await.as_deref(), Some("1.3.0"));
}
