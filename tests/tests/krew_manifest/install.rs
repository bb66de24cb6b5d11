//! Archives of a release, installed by the real krew and run by the real kubectl.

use std::fs;
use std::path::Path;

use kubectl_pivot_tests::bundle::Bundle;
use kubectl_pivot_tests::files_server::FilesServer;
use kubectl_pivot_tests::krew::{Index, KrewUser, validator};
use serde_json::{Value, json};
use tempfile::TempDir;

const OLD: &str = "0.0.9";
const NEW: &str = env!("CARGO_PKG_VERSION");

#[tokio::test]
async fn krew_installs_upgrades_and_uninstalls_the_program_with_its_plugins() {
    let place = tempfile::tempdir().expect("there is room for a folder");
    let bundle = Bundle::new(place.path());
    every_plugin_is_described_and_one_list_trusts_them(&bundle);
    let user = KrewUser::new(place.path()).await;
    // krew uninstalls nothing as long as it has no index.
    an_index(&user, &bundle, &place).await;
    an_archive_and_its_manifest(&user, &bundle, &place).await;
    another_name(&user, &bundle, &place).await;
}

fn every_plugin_is_described_and_one_list_trusts_them(bundle: &Bundle) {
    let paths = bundle.paths();
    let plugins: Vec<_> = paths.iter().filter(|path| path.starts_with("plugins/lib")).collect();
    let libraries = plugins.iter().filter(|path| !path.ends_with(".plugin.json")).count();
    assert_eq!(plugins.len(), 2 * libraries, "{plugins:?}");
    for path in [
        "LICENSE",
        "completions/_kubectl-pivot",
        "completions/kubectl-pivot.bash",
        "completions/kubectl-pivot.fish",
        "completions/kubectl-pivot.ps1",
        "kubectl-pivot",
        "kubectl_complete-pivot",
        "man/man1/kubectl-pivot.1",
        "man/man1/kubectl-pivot-plugin-install.1",
        "plugins/plugins.lock.json",
    ] {
        assert!(paths.contains(&path), "{path} is not in the archive");
    }
}

/// `krew install --manifest --archive`: what somebody does who has downloaded both.
async fn an_archive_and_its_manifest(user: &KrewUser, bundle: &Bundle, place: &TempDir) {
    let archive = bundle.archive(NEW, &place.path().join("downloads"));
    let manifest = bundle.manifest(NEW, &archive, "https://releases.invalid");
    let manifest = write(place.path(), "pivot.yaml", &manifest.text());
    let validator = validator(place.path()).await;
    let valid = validator.run(["-skip-install", "-manifest", &manifest]).await;
    valid.expect_success("validate-krew-manifest");

    let archive = archive.display().to_string();
    let install = ["krew", "install", "--manifest", &manifest, "--archive", &archive];
    user.kubectl(&install).await.expect_success("krew install");
    works(user, "pivot").await;
    user.kubectl(&["krew", "uninstall", "pivot"]).await.expect_success("krew uninstall");
    is_gone(user, "kubectl-pivot", "pivot").await;
}

/// The name that is used where `pivot` is found too general.
async fn another_name(user: &KrewUser, bundle: &Bundle, place: &TempDir) {
    let archive = bundle.archive(NEW, &place.path().join("downloads"));
    let mut manifest = bundle.manifest(NEW, &archive, "https://releases.invalid");
    "capi-pivot".clone_into(&mut manifest.name);
    let manifest = write(place.path(), "capi-pivot.yaml", &manifest.text());
    let archive = archive.display().to_string();
    let install = ["krew", "install", "--manifest", &manifest, "--archive", &archive];
    user.kubectl(&install).await.expect_success("krew install");
    works(user, "capi-pivot").await;
    let unknown = user.kubectl(&["capi-pivot", "sandbox", "down", "--name", "no-such"]).await;
    assert!(unknown.says("hint: `kubectl capi-pivot sandbox list`"), "{unknown}");
    assert!(!unknown.says("kubectl pivot"), "{unknown}");
    user.kubectl(&["krew", "uninstall", "capi-pivot"]).await.expect_success("krew uninstall");
    is_gone(user, "kubectl-capi_pivot", "capi-pivot").await;
}

/// `krew index add` and `install`, with a download, and later an upgrade.
async fn an_index(user: &KrewUser, bundle: &Bundle, place: &TempDir) {
    let downloads = place.path().join("downloads");
    let server = FilesServer::start(&downloads).await;
    let manifest = |version: &str| {
        let archive = bundle.archive(version, &downloads);
        bundle.manifest(version, &archive, server.address()).text()
    };
    let index = Index::new(&place.path().join("index"), &manifest(OLD)).await;
    let add = ["krew", "index", "add", "kubectl-pivot", &index.url()];
    user.kubectl(&add).await.expect_success("krew index add");
    let install = ["krew", "install", "kubectl-pivot/pivot"];
    user.kubectl(&install).await.expect_success("krew install");
    works(user, "pivot").await;
    assert_eq!(installed(user), [format!("v{OLD}")]);

    index.publish(&manifest(NEW)).await;
    user.kubectl(&["krew", "upgrade", "pivot"]).await.expect_success("krew upgrade");
    assert_eq!(installed(user), [format!("v{NEW}")]);
    works(user, "pivot").await;
    user.kubectl(&["krew", "uninstall", "pivot"]).await.expect_success("krew uninstall");
    is_gone(user, "kubectl-pivot", "pivot").await;
}

/// Through kubectl and krew's link, with nothing done but the installation.
async fn works(user: &KrewUser, name: &str) {
    let help = user.kubectl(&[name, "--help"]).await.expect_success("--help");
    assert!(help.says(&format!("Usage: kubectl {name} ")), "{help}");
    let list = user.kubectl(&[name, "plugin", "list", "-o", "json"]).await;
    let list = list.expect_success("plugin list").json();
    let plugins = list["plugins"].as_array().expect("a list");
    for of_user in ["cilium", "docker"] {
        assert!(plugins.iter().any(|plugin| plugin["name"] == of_user), "{list:#}");
    }
    for plugin in plugins {
        assert_eq!(plugin["trust"], "trusted", "{plugin}");
        assert_eq!((&plugin["origin"], &plugin["problems"]), (&json!("bundled"), &json!([])));
    }
    let create = [name, "create", "demo", "-i", "docker", "--cni", "cilium", "--dry-run"];
    let outline = user.kubectl(&[&create[..], &["-o", "json"]].concat()).await;
    let outline = outline.expect_success("create --dry-run").json();
    let steps = outline["steps"].as_array().expect("a list");
    assert!(steps.iter().any(|step: &Value| step["step"] == "network"), "{outline:#}");
}

fn installed(user: &KrewUser) -> Vec<String> {
    let folder = fs::read_dir(user.krew_root().join("store/pivot")).expect("krew's folder");
    folder.map(|entry| entry.expect("readable").file_name().to_string_lossy().into()).collect()
}

async fn is_gone(user: &KrewUser, link: &str, name: &str) {
    let root = user.krew_root();
    assert!(root.join("bin").join(link).symlink_metadata().is_err(), "{link} is still there");
    assert!(!root.join("store").join(name).exists(), "{name} is still there");
    let outcome = user.kubectl(&[name]).await;
    assert!(!outcome.succeeded() && outcome.says("unknown command"), "{outcome}");
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is ours");
    path.display().to_string()
}
