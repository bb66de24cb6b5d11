//! Plugins that are programs: the same search, trust and checks as for libraries.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use kubectl_pivot_tests::plugins::{User, in_go, library};
use serde_json::{Value, json};

use crate::{REFUSED, USAGE, list};

/// The plugin in Rust is the oracle: the two share nothing but the schemas of the messages.
#[tokio::test]
async fn a_plugin_in_go_renders_what_the_plugin_in_rust_renders() {
    let user = User::with(&["docker"]).await;
    let program = in_go().display().to_string();
    let check = user.run(&["plugin", "check", &program, "-o", "json"]).await;
    let check = check.expect_success("plugin check").json();
    assert_eq!((&check["name"], &check["findings"]), (&json!("docker-go"), &json!([])));
    user.run(&["plugin", "install", &program]).await.expect_success("plugin install");

    let set = ["control-plane-replicas=3", "worker-replicas=5", "pod-cidrs=10.0.0.0/8,fd00::/64"];
    let set = set.map(|set| ["--set", set]).concat();
    for more in [&[][..], &set[..], &["--namespace", "fleet", "--kubernetes-version", "v1.34.1"]] {
        let rendered = async |infrastructure: &str| -> String {
            let args = ["render", "pivot", "-o", "json", "--capi-version", "v1.13.0"];
            let args = [&args[..], &["--infrastructure", infrastructure], more].concat();
            user.run(&args).await.expect_success("render").stdout
        };
        let [go, rust] = [rendered("docker-go").await, rendered("docker").await];
        assert_eq!(parse(&go), parse(&rust), "{more:?}");
    }
}

#[tokio::test]
async fn new_plugins_in_go_build_and_conform_as_they_are() {
    let user = User::new();
    for kind in ["infrastructure", "cni"] {
        let name = format!("le-potato-{kind}");
        let folder = user.home().join(kind);
        let path = folder.display().to_string();
        let args = ["plugin", "new", &name, "--language", "go", "--kind", kind, "--path", &path];
        user.run(&args).await.expect_success("plugin new");
        let program = format!("kubectl-pivot-plugin-{name}");
        let mut go = Command::new("go");
        go.args(["build", "-o", &program]).current_dir(&folder);
        go.env("GOWORK", "off").env("GOPROXY", "off").env("CGO_ENABLED", "0");
        let built = go.output().expect("Go is installed: https://go.dev/dl");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let program = folder.join(program).display().to_string();
        let check = user.run(&["plugin", "check", &program, "-o", "json"]).await;
        assert_eq!(check.clone().expect_success("plugin check").json()["findings"], json!([]));
        user.run(&["plugin", "install", &program]).await.expect_success("plugin install");
        if kind == "infrastructure" {
            let render = ["render", "pivot", "-i", &name, "--set", "machine-size=large"];
            let rendered = user.run(&render).await.expect_success("render");
            assert!(rendered.says("LePotatoInfrastructureCluster") && rendered.says("size: large"));
        }
    }
}

#[tokio::test]
async fn a_program_is_listed_described_and_removed_as_a_library_is() {
    let user = User::new();
    user.install(&[in_go().to_owned()]).await;
    let [plugin] = &list(&user, &[]).await[..] else { panic!("one was installed") };
    for (field, value) in [
        ("name", json!("docker-go")),
        ("kind", json!("infrastructure")),
        ("form", json!("program")),
        ("abiLevel", json!(null)),
        ("protocol", json!("1.3")),
        ("trust", json!("trusted")),
        ("path", json!(user.plugins().join("kubectl-pivot-plugin-docker-go"))),
        ("problems", json!([])),
    ] {
        assert_eq!(plugin[field], value, "{field}");
    }
    let table = user.run(&["plugin", "list"]).await.expect_success("plugin list");
    assert!(table.stdout.contains("1.3 (program)"), "{table}");
    let info = user.run(&["plugin", "info", "docker-go"]).await.expect_success("plugin info");
    assert!(info.stdout.contains("worker-replicas"), "{info}");

    let wrong = ["render", "pivot", "-i", "docker-go", "--set", "worker-replicas=-1"];
    let wrong = user.run(&wrong).await;
    assert_eq!(wrong.code, USAGE, "{wrong}");
    assert!(
        wrong.says("-1 is less than 0") && wrong.says("--set worker-replicas=VALUE"),
        "{wrong}"
    );

    user.run(&["plugin", "remove", "docker-go"]).await.expect_success("plugin remove");
    assert_eq!(fs::read_dir(user.plugins()).expect("it is there").count(), 1, "the lock is left");
}

#[tokio::test]
async fn a_program_whose_bytes_have_changed_is_not_run() {
    let user = User::new();
    let plugin = script(&user, "");
    let installed = user.run(&["plugin", "install", &plugin.display().to_string()]).await;
    installed.expect_success("plugin install");
    let copy = user.plugins().join("kubectl-pivot-plugin-potato");
    let render = ["render", "pivot", "--infrastructure", "potato"];
    user.run(&render).await.expect_success("render");

    let witness = user.home().join("witness");
    let changed = format!("#!/bin/sh\ntouch '{}'\n", witness.display());
    fs::write(&copy, changed).expect("the folder is ours");
    let refused = user.run(&render).await;
    assert_eq!(refused.code, REFUSED, "{refused}");
    assert!(refused.says("is not trusted"), "{refused}");
    assert_eq!(list(&user, &[]).await[0]["trust"], "changed");
    assert!(!witness.exists(), "it was run");
}

/// The library with the name of the program would be another plugin of this name.
#[tokio::test]
async fn a_program_takes_the_place_of_the_library_of_its_name() {
    let user = User::with(&["docker"]).await;
    let plugin = script(&user, "");
    let text = fs::read_to_string(&plugin).expect("it is ours").replace("potato", "docker");
    fs::write(&plugin, text).expect("it is ours");
    user.install(&[plugin]).await;
    let [plugin] = &list(&user, &[]).await[..] else { panic!("one of the two is left") };
    assert_eq!((&plugin["form"], &plugin["problems"]), (&json!("program"), &json!([])));
    user.install(&[library("docker")]).await;
    let [plugin] = &list(&user, &[]).await[..] else { panic!("one of the two is left") };
    assert_eq!((&plugin["form"], &plugin["trust"]), (&json!("library"), &json!("trusted")));
}

#[tokio::test]
async fn the_words_of_a_program_are_shown_as_text() {
    let user = User::new();
    let plugin = script(&user, r"printf 'busy\033[2J\n' >&2");
    user.install(&[plugin]).await;
    let render = ["render", "pivot", "--infrastructure", "potato"];
    let quiet = user.run(&render).await.expect_success("render");
    assert!(!quiet.says("busy"), "{quiet}");
    let program = user.program().env("KUBECTL_PIVOT_LOG", "plugin=info");
    let outcome = program.run(render).await.expect_success("render");
    assert!(
        outcome.stderr.contains("busy") && outcome.stderr.contains("kubectl-pivot-plugin-potato")
    );
    assert!(!outcome.stderr.contains('\u{1b}'), "{:?}", outcome.stderr);

    let failing = script(&user, r"printf 'no luck\033[2J\n' >&2; exit 3");
    let outcome = user.run(&["plugin", "check", &failing.display().to_string()]).await;
    assert_eq!(outcome.code, REFUSED, "{outcome}");
    assert!(outcome.says("it failed with exit code 3") && outcome.says("no luck"), "{outcome}");
    assert!(!outcome.stderr.contains('\u{1b}'), "{:?}", outcome.stderr);
}

#[tokio::test]
async fn a_name_that_is_a_path_is_not_installed() {
    let user = User::new();
    let plugin = script(&user, "");
    let text = fs::read_to_string(&plugin).expect("it is ours").replace("potato", "../../x");
    fs::write(&plugin, text).expect("it is ours");
    let outcome = user.run(&["plugin", "install", &plugin.display().to_string()]).await;
    assert_eq!(outcome.code, REFUSED, "{outcome}");
    assert!(outcome.says("gives itself the name `../../x`"), "{outcome}");
    assert!(!user.plugins().exists(), "nothing is written");
}

/// A plugin of a few lines of the shell, which does `more` before each answer.
fn script(user: &User, more: &str) -> PathBuf {
    let path = user.home().join("kubectl-pivot-plugin-potato");
    let text = format!(
        r#"#!/bin/sh
read -r line
{more}
case $line in
*'"method":"info"'*) echo '{{"answer": {{"name": "potato", "kind": "infrastructure", "version": "1.0.0", "protocol": "1.1"}}}}' ;;
*'"method":"variables"'*) echo '{{"answer": []}}' ;;
*'"method":"render"'*) echo '{{"answer": {{"objects": [{{"kind": "Potato"}}]}}}}' ;;
*) echo '{{"error": {{"code": "unknown-method", "message": "no"}}}}' ;;
esac
"#
    );
    fs::write(&path, text).expect("the home is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}
