//! A backup comes back: into another cluster, into the emptied source, through clusterctl,
//! beside what is there already.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use capi::{Object, ResourceType};
use kubectl_pivot_tests::proxied_pair::{ProxiedPair, cluster_type};
use kubectl_pivot_tests::proxy::{Call, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{Scenario, exit, listed, manifest, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_backup_leaves_the_source_as_it_was_and_is_private", leaves_no_trace)
        .case("a_backup_is_restored_into_another_cluster", into_another)
        .thorough("the_backup_of_a_move_is_restored_into_the_emptied_source", into_the_source)
        .thorough("clusterctl_restores_a_backup", by_clusterctl)
        .thorough("objects_that_are_there_already_stay_as_they_are", beside_others)
        .thorough("the_target_needs_the_providers_of_the_backup", providers)
        .case("dry_runs_write_nothing", dry_runs)
}

async fn leaves_no_trace(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let report = scenario.back_up().await.json();
        assert_eq!(report["outcome"], "saved");
        scenario.check_put_back(&before).await;
        let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(scenario.directory()), 0o700);
        for name in listed(&scenario.directory()) {
            assert_eq!(mode(scenario.directory().join(&name)), 0o600, "{name}");
        }
        let manifest = manifest(&scenario.directory());
        assert_eq!(manifest["run"], report["run"]);
        assert_eq!(manifest["namespace"], scenario.tag.as_str());
        assert_eq!(manifest["clusters"], report["clusters"]);
        let core = json!({"name": "cluster-api", "type": "CoreProvider"});
        let providers = manifest["providers"].as_array().expect("a list");
        let is_core = |p: &&Value| p["name"] == core["name"] && p["type"] == core["type"];
        assert!(providers.iter().any(|p| is_core(&p) && p["version"].is_string()), "{manifest:#}");
        // Never into a backup that is there already.
        let again = scenario.run(scenario.backup_args()).await;
        assert_eq!(again.code, Some(exit::UNDONE), "{again}");
        assert!(again.says("not part of this backup"), "{again}");
        scenario.check_put_back(&before).await;
    })
    .await;
}

async fn into_another(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        scenario.back_up().await;
        let restored =
            scenario.run(scenario.restore_args(Side::Target, &scenario.directory())).await;
        let restored = restored.expect_success("the restore").json();
        assert_eq!(restored["outcome"], "restored");
        assert_eq!(restored["reused"], json!([]), "{restored:#}");
        scenario.check_restored(
            &scenario.directory(),
            &before.source,
            &scenario.ends().await.target,
        );
        scenario.check_no_marks_left().await;
    })
    .await;
}

async fn into_the_source(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let folder = scenario.folder.join("backups");
        let mut args = scenario.proxied_pair.move_args(&scenario.tag);
        args.extend(
            ["--backup-dir", &folder.display().to_string(), "-o", "json"].map(str::to_owned),
        );
        let moved = scenario.run(args).await.expect_success("the move").json();
        let backup = PathBuf::from(moved["backup"].as_str().expect("a backup"));
        assert_eq!(backup, folder.join(moved["run"].as_str().expect("a run")));
        let phases: Vec<&Value> =
            moved["phases"].as_array().into_iter().flatten().map(|phase| &phase["phase"]).collect();
        assert_eq!(phases[2..5], ["quiesce", "backup", "copy"]);
        let restored = scenario.run(scenario.restore_args(Side::Source, &backup)).await;
        let restored = restored.expect_success("the restore").json();
        // What a move keeps in the source is there already, and all the rest is created.
        assert_eq!(
            restored["reused"].as_array().map(Vec::len),
            moved["kept"].as_array().map(Vec::len)
        );
        let after = scenario.ends().await.source;
        scenario.check_restored(&backup, &before.source, &after);
        scenario.check_no_marks_left().await;
    })
    .await;
}

async fn by_clusterctl(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.back_up().await;
        let target = scenario.proxied_pair.pair().target.kubeconfig().display().to_string();
        let directory = scenario.directory().display().to_string();
        let args = ["move", "--to-kubeconfig", &target, "--from-directory", &directory];
        let restored = scenario.proxied_pair.fixture().clusterctl().run(args).await;
        let restored = restored.expect_success("clusterctl");
        for object in manifest(&scenario.directory())["objects"].as_array().into_iter().flatten() {
            let found = find(&scenario, object).await;
            assert!(found.is_some(), "{object} was not restored: {restored}");
        }
    })
    .await;
}

/// An object of a manifest in the target.
async fn find(scenario: &Scenario, object: &Value) -> Option<Object> {
    let target = &scenario.proxied_pair.pair().target;
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let kind: ResourceType = target.kinds().of(text("apiVersion"), text("kind"));
    let found = target.client().get(&kind, object["namespace"].as_str(), text("name")).await;
    found.expect("objects can be read")
}

/// A Cluster that is there already keeps its content and its pause state, but does not act while
/// its Machines come back.
async fn beside_others(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.back_up().await;
        let args = || scenario.restore_args(Side::Target, &scenario.directory());
        scenario.run(args()).await.expect_success("the first restore");
        let before = scenario.ends().await;
        let lost = json!({"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
            "kind": "DockerMachine",
            "namespace": scenario.tag, "name": "plain-worker"});
        let lost = find(&scenario, &lost).await.expect("it was restored");
        remove(&scenario, &lost).await;
        scenario.proxied_pair.traffic().begin_run();
        let again = scenario.run(args()).await.expect_success("the second restore").json();
        let kept = again["reused"].as_array().map_or(0, Vec::len);
        let all = manifest(&scenario.directory())["objects"].as_array().map_or(0, Vec::len);
        assert_eq!(kept, all - 1, "{again:#}");
        before.check_same(&scenario.ends().await).unwrap_or_else(|text| panic!("{text}"));
        check_paused_meanwhile(&scenario);
        let plain = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "namespace": scenario.tag, "name": "plain"});
        let plain = find(&scenario, &plain).await.expect("it was there");
        assert_eq!(plain.value()["spec"].get("paused"), None);
        scenario.check_no_marks_left().await;
    })
    .await;
}

async fn remove(scenario: &Scenario, object: &Object) {
    let target = &scenario.proxied_pair.pair().target;
    let kind = target.kinds().of(object.api_version(), object.kind());
    let place = (object.namespace(), object.name());
    let free = json!({"metadata": {"finalizers": null}});
    let patch = (cluster::PatchKind::Merge, &free);
    let options = cluster::WriteOptions::default();
    target.client().patch(&kind, place, patch, &options).await.expect("finalizers can go");
    target.client().delete(&kind, place.0, place.1, object.uid()).await.expect("deletable");
}

fn check_paused_meanwhile(scenario: &Scenario) {
    let writes = scenario.proxied_pair.traffic().writes();
    let position = |is: &dyn Fn(&Call) -> bool| writes.iter().position(|write| is(&write.call));
    let plain = |call: &Call| call.method == "PATCH" && call.path.ends_with("/clusters/plain");
    let paused = position(&|call| plain(call) && call.body["spec"]["paused"] == true);
    let created = position(&|call| {
        call.method == "POST"
            && call.is_about("dockermachines")
            && call.body["metadata"]["name"] == "plain-worker"
    });
    let resumed = position(&|call| plain(call) && call.body["spec"]["paused"].is_null());
    let order = [paused, created, resumed].map(|position| position.expect("it was written"));
    assert!(order.is_sorted(), "{order:?}");
}

async fn providers(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.back_up().await;
        let path = scenario.directory().join(transfer::MANIFEST);
        let newer = fs::read_to_string(&path).expect("readable").replace("\"v1.", "\"v9.");
        fs::write(&path, newer).expect("written");
        let refused =
            scenario.run(scenario.restore_args(Side::Target, &scenario.directory())).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("ProviderOlder"), "{refused}");
    })
    .await;
}

async fn dry_runs(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let with = |mut args: Vec<String>| {
            args.push("--dry-run".to_owned());
            args
        };
        let planned =
            scenario.run(with(scenario.backup_args())).await.expect_success("a dry-run").json();
        assert_eq!(planned["outcome"], "planned");
        assert!(!scenario.directory().exists());
        scenario.back_up().await;
        scenario.proxied_pair.traffic().begin_run();
        let args = with(scenario.restore_args(Side::Target, &scenario.directory()));
        let planned = scenario.run(args).await.expect_success("a dry-run").json();
        assert_eq!(planned["outcome"], "planned");
        assert_eq!(scenario.proxied_pair.traffic().writes().len(), 0);
        let target = scenario.proxied_pair.pair().target.client();
        let clusters = target.list(&cluster_type(), Some(&scenario.tag)).await.expect("a list");
        assert_eq!(clusters.len(), 0);
    })
    .await;
}
