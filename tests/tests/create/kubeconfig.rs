//! `--merge-kubeconfig`: the target in the kubeconfig of the user.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cluster::{Client, KubeconfigRef};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::simulated_controllers::SimulatedControllers;
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};
use support::yaml;

use super::fixture::{Fixture, Scenario, text};

/// The context in the kubeconfig that Cluster API makes.
const CONTEXT: &str = "pivot-admin@pivot";

pub fn add(suite: Suite<Fixture>) -> Suite<Fixture> {
    suite
        .thorough("the_target_is_merged_into_the_users_kubeconfig", merged)
        .case("an_unusable_kubeconfig_is_reported_before_anything_is_created", refused)
}

/// A kubeconfig of another cluster.
fn of_others() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "work", "x-mine": {"kept": [1]},
        "clusters": [{"name": "work", "cluster": {"server": "https://work.invalid",
            "x-note": "on"}}],
        "contexts": [{"name": "work", "context": {"cluster": "work", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": "1_000"}}],
    })
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("readable");
    yaml::documents(&text).expect("YAML").remove(0)
}

fn write(path: &Path, content: &Value) {
    fs::write(path, yaml::document(content)).expect("writable");
}

/// The kubeconfig of the target with the names that Cluster API gives.
fn as_by_cluster_api(scenario: &Scenario) -> PathBuf {
    let mut content = read(scenario.target());
    content["clusters"][0]["name"] = json!("pivot");
    content["users"][0]["name"] = json!("pivot-admin");
    content["contexts"][0] =
        json!({"name": CONTEXT, "context": {"cluster": "pivot", "user": "pivot-admin"}});
    content["current-context"] = json!(CONTEXT);
    let path = scenario.path("of-the-secret");
    write(&path, &content);
    path
}

fn names(content: &Value, list: &str) -> Vec<String> {
    let items = content[list].as_array().expect("a list").iter();
    items.filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
}

fn with_kubeconfig(scenario: &Scenario, list: &[&Path]) -> Program {
    let list = std::env::join_paths(list).expect("no colon in it");
    scenario.program.clone().env("KUBECONFIG", &list.to_string_lossy())
}

async fn merged(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let target = as_by_cluster_api(&scenario);
    let _simulated_controllers =
        SimulatedControllers::begin(scenario.part(|part| part.target = target));
    // Of a list of files the first that exists: a link into another folder.
    fs::create_dir(scenario.path("dotfiles")).expect("created");
    let (real, link) = (scenario.path("dotfiles/config"), scenario.path("link"));
    write(&real, &of_others());
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("changed");
    symlink("dotfiles/config", &link).expect("linked");
    let program = with_kubeconfig(&scenario, &[&scenario.path("none"), &link]);
    let create = scenario.create(&["--merge-kubeconfig"]);

    // While the run is going on, somebody takes the name of the cluster.
    let mut running = program.start(&create);
    scenario.until_begun("move").await;
    let mut taken = of_others();
    taken["clusters"][0]["name"] = json!("pivot");
    write(&real, &taken);
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(exit::UNFINISHED.into()), "{outcome}");
    for told in [
        "the step `merge-kubeconfig` failed",
        &format!("{} has a cluster `pivot` already, which is https://work.invalid", text(&link)),
        "kubectl config delete-cluster pivot",
        "kubectl pivot resume pivot",
    ] {
        assert!(outcome.stderr.contains(told), "{told:?}: {outcome}");
    }
    assert_eq!(read(&real), taken, "what is refused changes nothing");
    let kind = scenario.kind().run(["get", "clusters"]).await;
    assert_eq!(kind.stdout, "pivot-bootstrap\n", "the run is not over");

    write(&real, &of_others());
    let outcome = program.run(["resume", "pivot"]).await.expect_success("resume");
    let told = format!("context {CONTEXT} in {}", text(&link));
    assert!(outcome.stdout.contains(&told), "{outcome}");
    assert!(outcome.stdout.contains(&format!("kubectl config use-context {CONTEXT}")), "{outcome}");
    let (now, before) = (read(&real), of_others());
    for field in ["apiVersion", "kind", "current-context", "x-mine"] {
        assert_eq!(now[field], before[field], "{field}");
    }
    for (list, added) in [("clusters", "pivot"), ("users", "pivot-admin"), ("contexts", CONTEXT)] {
        assert_eq!(now[list][0], before[list][0], "others come first, as they were");
        assert_eq!(names(&now, list)[1..], [added]);
    }
    let mode = fs::metadata(&real).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert!(!scenario.path("none").exists());
    let left: Vec<_> = fs::read_dir(scenario.path("dotfiles")).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!scenario.path("link.lock").exists());
    // And it is of use.
    let reference = KubeconfigRef { path: Some(link), context: Some(CONTEXT.to_owned()) };
    let client = Client::connect("target", &reference).await.expect("a kubeconfig");
    assert!(client.get_path("/version").await.is_ok());
}

async fn refused(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    let config = scenario.path("config");
    let taken = |list: &str, item: Value| {
        let mut content = of_others();
        content[list][0] = item;
        yaml::document(&content)
    };
    let cases = [
        ("users: [{name: me, user: {token: hunter2\n", "cannot use the kubeconfig"),
        ("clusters: {}\n", "its clusters are not a list"),
        (
            &taken("clusters", json!({"name": "pivot", "cluster": {"server": "https://old"}})),
            "has a cluster `pivot` already, which is https://old",
        ),
        (
            &taken("users", json!({"name": "pivot-admin", "user": {"token": "hunter2"}})),
            "has a user `pivot-admin` already",
        ),
        (
            &taken("contexts", json!({"name": CONTEXT, "context": {"cluster": "a", "user": "b"}})),
            "already, of cluster `a` and user `b`",
        ),
    ];
    for (content, told) in cases {
        fs::write(&config, content).expect("written");
        check_refused(&scenario, &config, told).await;
        assert_eq!(fs::read_to_string(&config).expect("there"), content);
        // A dry-run finds it too.
        let program = with_kubeconfig(&scenario, &[&config]);
        let outcome = program.run(scenario.create(&["--merge-kubeconfig", "--dry-run"])).await;
        assert_eq!(outcome.code, Some(exit::REFUSED.into()), "{outcome}");
        assert!(outcome.stderr.contains(told), "{outcome}");
    }
    write(&config, &of_others());
    fs::set_permissions(&config, fs::Permissions::from_mode(0o400)).expect("changed");
    check_refused(&scenario, &config, "it is read-only").await;
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).expect("changed");
    let lock = scenario.path("config.lock");
    fs::write(&lock, "").expect("written");
    check_refused(&scenario, &config, &format!("is locked: {} is there", text(&lock))).await;
    assert!(lock.exists(), "it is not ours");
    fs::remove_file(&lock).expect("removed");
    check_refused(&scenario, scenario.dir.path(), "it is a directory").await;
    // Nobody can create a file there, not even root.
    check_refused(&scenario, Path::new("/proc/no-config"), "cannot write the kubeconfig").await;

    let program = with_kubeconfig(&scenario, &[&config]);
    let outline = program.run(scenario.create(&["--merge-kubeconfig", "--dry-run"])).await;
    let outline = outline.expect_success("dry-run");
    let told =
        format!("merges the target's cluster, user and context {CONTEXT} into {}", text(&config));
    assert!(outline.stdout.contains(&told), "{outline}");
    assert!(outline.stdout.contains("leaves your current context as it is"), "{outline}");
    assert_eq!(read(&config), of_others());
}

/// Checks that nothing is begun, and that no secret is told.
async fn check_refused(scenario: &Scenario, config: &Path, told: &str) {
    let program = with_kubeconfig(scenario, &[config]);
    let outcome = program.run(scenario.create(&["--merge-kubeconfig"])).await;
    assert_eq!(outcome.code, Some(exit::REFUSED.into()), "{outcome}");
    for told in ["the step `preflight` failed", told, "nothing was created"] {
        assert!(outcome.stderr.contains(told), "{told:?}: {outcome}");
    }
    assert!(!outcome.stderr.contains("hunter2"), "{outcome}");
    assert!(!scenario.path("kind-root").exists(), "{outcome}");
}
