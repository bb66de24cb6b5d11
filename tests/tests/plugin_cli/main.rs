//! `kubectl pivot plugin`, as a user runs it.

mod artifacts;
mod programs;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use kubectl_pivot_tests::plugins::{User, file_name, library, misbehaving};
use kubectl_pivot_tests::program::Program;
use serde_json::{Value, json};

const OK: Option<i32> = Some(0);
const USAGE: Option<i32> = Some(2);
const REFUSED: Option<i32> = Some(3);

async fn list(user: &User, more: &[&str]) -> Vec<Value> {
    let args = [&["plugin", "list", "-o", "json"], more].concat();
    let document = user.run(&args).await.expect_success("plugin list").json();
    assert_eq!(document["kind"], "PluginList");
    document["plugins"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_plugin_is_installed_described_and_removed() {
    let user = User::new();
    let nothing = user.run(&["plugin", "list"]).await.expect_success("an empty list");
    assert!(nothing.says("plugin install FILE"), "{nothing}");

    let docker = library("docker").display().to_string();
    user.run(&["plugin", "install", &docker]).await.expect_success("plugin install");
    let [plugin] = &list(&user, &[]).await[..] else { panic!("one was installed") };
    for (field, value) in [
        ("name", json!("docker")),
        ("kind", json!("infrastructure")),
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("form", json!("library")),
        ("abiLevel", json!(1)),
        ("protocol", json!("1.3")),
        ("maturity", json!("stable")),
        ("origin", json!("user")),
        ("trust", json!("trusted")),
        ("path", json!(user.plugins().join(file_name("docker")))),
        ("problems", json!([])),
    ] {
        assert_eq!(plugin[field], value, "{field}");
    }

    let info = user.run(&["plugin", "info", "docker", "-o", "json"]).await;
    let info = info.expect_success("plugin info").json();
    assert_eq!(info["providers"]["infrastructure"], json!(["docker"]));
    let variables = info["variables"].as_array().expect("a list");
    assert!(variables.iter().any(|variable| variable["name"] == "extra-mounts"));
    assert_eq!(info["network"]["name"], "cilium");
    assert_eq!(info["probes"][0]["name"], "docker-controller-bootstrap");
    for (command, part) in [("list", "NAME     KIND "), ("info", "worker-replicas")] {
        let args: &[&str] = if command == "info" { &["docker"] } else { &[] };
        let table = user.run(&[&["plugin", command], args].concat()).await;
        assert!(table.expect_success(command).stdout.contains(part), "{command}");
    }

    user.run(&["plugin", "remove", "docker"]).await.expect_success("plugin remove");
    assert_eq!(list(&user, &[]).await, Vec::<Value>::new());
    let again = user.run(&["plugin", "remove", "docker"]).await;
    assert_eq!(again.code, USAGE, "{again}");
    let unknown = user.run(&["plugin", "info", "docker"]).await;
    assert_eq!(unknown.code, USAGE, "{unknown}");
}

/// Many systems have a umask of 0002, and containers one of 0000.
#[tokio::test]
async fn a_plugin_is_installed_and_trusted_under_any_umask() {
    let docker = library("docker").display().to_string();
    for umask in ["0002", "0077", "0000"] {
        let user = User::new();
        let program = user.program().path().display().to_string();
        let data = user.home().join("data").display().to_string();
        let shell = Program::new(Path::new("/bin/sh"), user.home()).env("XDG_DATA_HOME", &data);
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let install = ["-c", &script, &program, "plugin", "install", &docker];
        shell.run(install).await.expect_success(umask);
        let [plugin] = &list(&user, &[]).await[..] else { panic!("one was installed") };
        assert_eq!((&plugin["trust"], &plugin["problems"]), (&json!("trusted"), &json!([])));
    }
}

#[tokio::test]
async fn only_what_is_trusted_is_used() {
    let user = User::new();
    let folder = user.home().join("mine");
    fs::create_dir(&folder).expect("the home is ours");
    let copy = folder.join(file_name("docker"));
    fs::copy(library("docker"), &copy).expect("the folder is ours");
    let dir = ["--plugin-dir", folder.to_str().expect("UTF-8")];

    let [plugin] = &list(&user, &dir).await[..] else { panic!("one was copied") };
    assert_eq!((&plugin["trust"], &plugin["origin"]), (&json!("untrusted"), &json!("flag")));
    assert_eq!(
        plugin["hint"].as_str().map(|hint| hint.contains("plugin trust docker")),
        Some(true)
    );
    let info = user.run(&[&["plugin", "info", "docker"], &dir[..]].concat()).await;
    assert!(info.expect_success("info from outside").says("once it is trusted"));
    let render = [&["render", "pivot", "--infrastructure", "docker"], &dir[..]].concat();
    let refused = user.run(&render).await;
    assert_eq!(refused.code, REFUSED, "{refused}");
    assert!(refused.says("plugin trust NAME"), "{refused}");

    let trust = [&["plugin", "trust", "docker"], &dir[..]].concat();
    user.run(&trust).await.expect_success("plugin trust");
    assert_eq!(list(&user, &dir).await[0]["trust"], "trusted");
    user.run(&render).await.expect_success("render");

    let mut bytes = fs::read(&copy).expect("it is ours");
    bytes.push(0);
    fs::write(&copy, bytes).expect("it is ours");
    let [plugin] = &list(&user, &dir).await[..] else { panic!("it is still there") };
    assert_eq!(plugin["trust"], "changed");
    assert_eq!(user.run(&render).await.code, REFUSED);

    let installed = library("docker").display().to_string();
    user.run(&["plugin", "install", &installed]).await.expect_success("plugin install");
    user.run(&trust).await.expect_success("plugin trust of a build of one's own");
    let found = list(&user, &dir).await;
    let words: Vec<_> = found.iter().map(|it| (&it["origin"], &it["trust"])).collect();
    let (flag, own, trusted) = (json!("flag"), json!("user"), json!("trusted"));
    assert_eq!(words, [(&flag, &trusted), (&own, &trusted)], "{found:#?}");
}

#[tokio::test]
async fn a_folder_of_ones_own_is_named_in_the_next_commands_and_has_to_be_there() {
    let user = User::new();
    let folder = user.home().join("mine").display().to_string();
    let dir = ["--plugin-dir", folder.as_str()];
    let missing = user.run(&[&["plugin", "list"], &dir[..]].concat()).await;
    assert_eq!(missing.code, USAGE, "{missing}");
    assert!(missing.says("there is no folder") && missing.says(&folder), "{missing}");

    let docker = library("docker").display().to_string();
    let installed = user.run(&["plugin", "install", &docker, "--to", &folder]).await;
    let installed = installed.expect_success("plugin install");
    let next = installed.stdout.lines().filter_map(|line| line.split_once("pivot plugin "));
    let next: Vec<Vec<&str>> = next.map(|(_, words)| words.split(' ').collect()).collect();
    assert_eq!(next.len(), 2, "{installed}");
    for words in next {
        let outcome = user.run(&[&["plugin"], &words[..]].concat()).await;
        assert!(outcome.expect_success("the next command").says("docker"));
    }
    let info = user.run(&[&["plugin", "info", "docker"], &dir[..]].concat()).await;
    assert!(info.expect_success("plugin info").says("Readiness probes"), "it is trusted");
}

/// The limits of a plugin, from the real ones.
#[tokio::test]
async fn what_a_plugin_cannot_do_is_refused_before_anything_is_created() {
    let user = User::with(&["in-memory", "docker", "flannel"]).await;
    let create =
        async |more: &[&str]| user.run(&[&["create", "pivot", "--dry-run"], more].concat()).await;
    let refused = create(&["-i", "in-memory"]).await;
    assert_eq!(refused.code, REFUSED, "{refused}");
    assert!(refused.says("cannot host a management cluster"), "{refused}");
    assert!(refused.says("--to-kubeconfig FILE"), "{refused}");
    create(&["-i", "in-memory", "--to-kubeconfig", "x"])
        .await
        .expect_success("a target of one's own");

    let flannel = ["-i", "docker", "--cni", "flannel"];
    let refused = create(&flannel).await;
    assert_eq!(refused.code, REFUSED, "{refused}");
    assert!(
        refused.says("CNI binary `bridge`") && refused.says("bridge-installed=true"),
        "{refused}"
    );
    let more = ["--set", "bridge-installed=true", "--set", "custom-image=a"];
    create(&[&flannel[..], &more].concat()).await.expect_success("an image that has it");
}

/// Versions of providers are those of the user; others are the plugin's.
#[tokio::test]
async fn the_user_pins_providers() {
    let user = User::with(&["docker"]).await;
    let create = async |providers: &[&str]| {
        let create = ["create", "pivot", "-i", "docker", "--dry-run", "--cni", "none"];
        user.run(&[&create[..], providers].concat()).await
    };
    user.install(&[library("none")]).await;
    let pinned = ["--provider", "infrastructure=docker:v1.14.2", "--provider", "ipam=in-cluster"];
    let outline = create(&pinned).await.expect_success("dry-run");
    for said in ["--core cluster-api --", "--infrastructure docker:v1.14.2", "--ipam in-cluster"] {
        assert!(outline.says(said), "{said}: {outline}");
    }
    for wrong in ["docker:v1.14.2", "cloud=docker", "core=cluster-api:1.14", "core="] {
        let refused = create(&["--provider", wrong]).await;
        assert_eq!(refused.code, USAGE, "{refused}");
        assert!(refused.says("infrastructure=docker:v1.14.2"), "{refused}");
    }
}

/// A network of the user's own needs no plugin.
#[tokio::test]
async fn the_user_brings_the_network() {
    let user = User::with(&["docker"]).await;
    let manifest = user.home().join("network.yaml");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mesh, namespace: kube-system}\n";
    fs::write(&manifest, text).expect("the home is ours");
    let manifest = manifest.display().to_string();
    let create = ["create", "pivot", "-i", "docker", "--dry-run", "--cni-manifest", &manifest];
    let outline = user.run(&create).await.expect_success("dry-run");
    assert!(outline.says("cni-manifest: applies these objects"), "{outline}");
    assert!(outline.says("name: mesh"), "{outline}");
    let both = user.run(&[&create[..], &["--cni", "cilium"]].concat()).await;
    assert_eq!(both.code, USAGE, "{both}");
    assert!(both.says("leave --cni out"), "{both}");
}

#[tokio::test]
async fn trusting_a_name_does_not_trust_another() {
    let user = User::with(&["docker"]).await;
    let folder = user.home().join("mine");
    fs::create_dir(&folder).expect("the home is ours");
    // It says that it is `in-memory`.
    fs::copy(library("in-memory"), folder.join(file_name("other"))).expect("the folder is ours");
    let dir = folder.to_str().expect("UTF-8");
    let outcome = user.run(&["plugin", "trust", "other", "--plugin-dir", dir]).await;
    assert_eq!(outcome.code, REFUSED, "{outcome}");
    assert!(outcome.says("calls itself `in-memory`, not `other`"), "{outcome}");
    let plugins = list(&user, &["--plugin-dir", dir]).await;
    assert_eq!(plugins[0]["trust"], "untrusted");
    assert_eq!(plugins[1]["trust"], "trusted");
}

#[tokio::test]
async fn a_broken_plugin_is_listed_with_its_reason() {
    let user = User::with(&["docker"]).await;
    let whole = fs::read(library("docker")).expect("it was just built");
    let put = |name: &str, bytes: &[u8], mode| {
        let path = user.plugins().join(file_name(name));
        fs::write(&path, bytes).expect("the folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    put("cut", &whole[..whole.len() / 2], 0o755);
    put("open", &whole, 0o777);
    let plugins = list(&user, &[]).await;
    let of = |name: &str| plugins.iter().find(|plugin| plugin["name"] == name).expect("listed");
    for (name, part) in
        [("cut", "damaged or not a library"), ("open", "can be written by everyone")]
    {
        assert_eq!(of(name)["trust"], "broken");
        assert!(of(name)["problems"][0].as_str().is_some_and(|text| text.contains(part)));
    }
    assert_eq!(of("docker")["trust"], "trusted");
    let table = user.run(&["plugin", "list"]).await.expect_success("plugin list");
    assert!(
        table.stdout.contains("can be written by everyone") && table.stdout.contains("hint:"),
        "{table}"
    );
    let missing = user.run(&["plugin", "check", "/no/such/plugin.so"]).await;
    assert_eq!(missing.code, REFUSED, "{missing}");
    assert!(missing.says("cannot read the plugin /no/such/plugin.so"), "{missing}");
    let check = user.plugins().join(file_name("cut")).display().to_string();
    let outcome = user.run(&["plugin", "check", &check]).await;
    assert_eq!(outcome.code, REFUSED, "{outcome}");
}

/// The clusters are not there: the warning comes before they are asked for anything.
#[tokio::test]
async fn a_damaged_list_of_trusted_plugins_does_not_stop_a_move() {
    let user = User::with(&["docker"]).await;
    fs::write(user.plugins().join("plugins.lock.json"), "{").expect("the folder is ours");
    let kubeconfig = user.home().join("kubeconfig");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
                clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n\
                contexts: [{name: a, context: {cluster: a, user: a}}]\n\
                users: [{name: a, user: {}}]\n";
    fs::write(&kubeconfig, text).expect("the home is ours");
    let kubeconfig = kubeconfig.to_str().expect("UTF-8");
    let clusters = ["--kubeconfig", kubeconfig, "--to-kubeconfig", kubeconfig];
    let outcome = user.run(&[&["move", "--dry-run", "-A"], &clusters[..]].concat()).await;
    assert!(outcome.says("plugins.lock.json is damaged"), "{outcome}");
    assert!(outcome.says("are not trusted by this run"), "{outcome}");
    assert!(outcome.says("cannot connect"), "{outcome}");

    let render = user.run(&["render", "pivot", "--infrastructure", "docker"]).await;
    assert_eq!(render.code, REFUSED, "{render}");
    assert!(render.says("plugin trust NAME"), "{render}");

    let relative = user.program().env("KUBECTL_PIVOT_PLUGINS", "plugins");
    let outcome = relative.run([&["move", "--dry-run", "-A"], &clusters[..]].concat()).await;
    assert!(
        outcome.says("`plugins` in $KUBECTL_PIVOT_PLUGINS is not an absolute path"),
        "{outcome}"
    );
    assert!(outcome.says("cannot connect"), "{outcome}");
}

/// Manifests go into files and pipes.
#[tokio::test]
async fn what_a_library_prints_is_not_among_the_manifests() {
    let user = User::new();
    user.install(&[misbehaving()]).await;
    let outcome = user.run(&["render", "print", "-i", "misbehaving"]).await;
    let outcome = outcome.expect_success("render");
    assert_eq!(outcome.stdout.trim(), "", "{outcome}");
    assert!(outcome.stderr.contains("printed by a plugin"), "{outcome}");
}

#[tokio::test]
async fn a_network_that_is_not_there_is_named_with_who_wants_it() {
    let user = User::with(&["docker"]).await;
    let outcome = user.run(&["create", "pivot", "-i", "docker", "--dry-run"]).await;
    assert_eq!(outcome.code, REFUSED, "{outcome}");
    for part in ["`docker` wants the network `cilium`", "--cni NAME", "--cni-manifest FILE"] {
        assert!(outcome.says(part), "{part}: {outcome}");
    }
}

#[tokio::test]
async fn new_plugins_build_and_conform_as_they_are() {
    let user = User::new();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is a member");
    for kind in ["infrastructure", "cni"] {
        let name = format!("le-potato-{kind}");
        let folder = user.home().join(&name);
        let path = folder.display().to_string();
        let args = ["plugin", "new", &name, "--kind", kind, "--path", &path];
        user.run(&args).await.expect_success("plugin new");
        let again = user.run(&args).await;
        assert_eq!(again.code, USAGE, "{again}");
        assert!(again.says("would be overwritten"), "{again}");

        // The versions that are there already.
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).expect("it is ours");
        let library = cargo(&folder, &["build"]).join("debug").join(file_name(&name));
        let library = library.display().to_string();
        let check = user.run(&["plugin", "check", &library, "-o", "json"]).await;
        assert_eq!(check.clone().expect_success("plugin check").json()["findings"], json!([]));
        user.run(&["plugin", "install", &library]).await.expect_success("plugin install");
        // The file that is shipped with the library says what `install` has written.
        let sidecar = file_name(&name).replace(".so", ".plugin.json");
        let read = |folder: &Path| fs::read_to_string(folder.join(&sidecar)).expect("it is there");
        let parse = |text: String| serde_json::from_str::<Value>(&text).expect("JSON");
        assert_eq!(parse(read(&folder)), parse(read(&user.plugins())));
        if kind == "infrastructure" {
            cargo(&folder, &["test", "--test", "conformance"]);
            let args = ["render", "pivot", "--infrastructure", &name];
            let rendered = user.run(&args).await.expect_success("render");
            assert!(rendered.says("kind: LePotatoInfrastructureCluster"), "{rendered}");
        }
    }
    let outcome = user.run(&["plugin", "new", "Le_Potato", "--kind", "cni"]).await;
    assert_eq!(outcome.code, USAGE, "{outcome}");
}

#[tokio::test]
async fn plugins_beside_the_program_are_found_and_trusted() {
    let user = User::new();
    let bundle = user.home().join("bundle");
    fs::create_dir_all(&bundle).expect("the home is ours");
    let program = bundle.join("kubectl-pivot");
    let built = library("docker").with_file_name("kubectl-pivot");
    user.run(&["plugin", "list"]).await.expect_success("the program is built");
    fs::copy(built, &program).expect("the folder is ours");
    let to = bundle.join("plugins").display().to_string();
    let docker = library("docker").display().to_string();
    user.run(&["plugin", "install", &docker, "--to", &to]).await.expect_success("install");
    let bundled = Program::new(&program, user.home());
    let plugins = bundled.run(["plugin", "list", "-o", "json"]).await.json();
    let plugin = &plugins["plugins"][0];
    assert_eq!((&plugin["origin"], &plugin["trust"]), (&json!("bundled"), &json!("trusted")));
    let rendered = bundled.run(["render", "pivot", "--infrastructure", "docker"]).await;
    assert_eq!(rendered.code, OK, "{rendered}");
}

/// Runs cargo in a crate outside the workspace; all of them share a target folder, which is
/// returned.
fn cargo(folder: &Path, args: &[&str]) -> &'static Path {
    let target = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/plugins"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).args(["--quiet", "--offline", "--target-dir"]).arg(target);
    let output = cargo.current_dir(folder).output().expect("cargo has built this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target
}
