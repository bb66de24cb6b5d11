//! A backup comes back: into another cluster, into the emptied source, through clusterctl,
//! beside what is there already.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use capi::{Object, ResourceType};
use kubectl_pivot_tests::arena::{Arena, cluster_type};
use kubectl_pivot_tests::proxy::{Call, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{Story, exit, listed, manifest, with_story};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("a_backup_leaves_the_source_as_it_was_and_is_private", leaves_no_trace)
        .case("a_backup_is_restored_into_another_cluster", into_another)
        .thorough("the_backup_of_a_move_is_restored_into_the_emptied_source", into_the_source)
        .thorough("clusterctl_restores_a_backup", by_clusterctl)
        .thorough("objects_that_are_there_already_stay_as_they_are", beside_others)
        .thorough("the_target_needs_the_providers_of_the_backup", providers)
        .case("dry_runs_write_nothing", dry_runs)
}

async fn leaves_no_trace(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.ends().await;
        let report = story.back_up().await.json();
        assert_eq!(report["outcome"], "saved");
        story.check_put_back(&before).await;
        let mode = |path: PathBuf| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(story.directory()), 0o700);
        for name in listed(&story.directory()) {
            assert_eq!(mode(story.directory().join(&name)), 0o600, "{name}");
        }
        let manifest = manifest(&story.directory());
        assert_eq!(manifest["run"], report["run"]);
        assert_eq!(manifest["namespace"], story.tag.as_str());
        assert_eq!(manifest["clusters"], report["clusters"]);
        let core = json!({"name": "cluster-api", "type": "CoreProvider"});
        let providers = manifest["providers"].as_array().expect("a list");
        let is_core = |p: &&Value| p["name"] == core["name"] && p["type"] == core["type"];
        assert!(providers.iter().any(|p| is_core(&p) && p["version"].is_string()), "{manifest:#}");
        // Never into a backup that is there already.
        let again = story.run(story.backup_args()).await;
        assert_eq!(again.code, Some(exit::UNDONE), "{again}");
        assert!(again.says("not part of this backup"), "{again}");
        story.check_put_back(&before).await;
    })
    .await;
}

async fn into_another(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.ends().await;
        story.back_up().await;
        let restored = story.run(story.restore_args(Side::Target, &story.directory())).await;
        let restored = restored.expect_success("the restore").json();
        assert_eq!(restored["outcome"], "restored");
        assert_eq!(restored["reused"], json!([]), "{restored:#}");
        story.check_restored(&story.directory(), &before.source, &story.ends().await.target);
        story.check_no_marks_left().await;
    })
    .await;
}

async fn into_the_source(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.ends().await;
        let folder = story.folder.join("backups");
        let mut args = story.arena.move_args(&story.tag);
        args.extend(
            ["--backup-dir", &folder.display().to_string(), "-o", "json"].map(str::to_owned),
        );
        let moved = story.run(args).await.expect_success("the move").json();
        let backup = PathBuf::from(moved["backup"].as_str().expect("a backup"));
        assert_eq!(backup, folder.join(moved["run"].as_str().expect("a run")));
        let phases: Vec<&Value> =
            moved["phases"].as_array().into_iter().flatten().map(|phase| &phase["phase"]).collect();
        assert_eq!(phases[2..5], ["quiesce", "backup", "copy"]);
        let restored = story.run(story.restore_args(Side::Source, &backup)).await;
        let restored = restored.expect_success("the restore").json();
        // What a move keeps in the source is there already, and all the rest is created.
        assert_eq!(
            restored["reused"].as_array().map(Vec::len),
            moved["kept"].as_array().map(Vec::len)
        );
        let after = story.ends().await.source;
        story.check_restored(&backup, &before.source, &after);
        story.check_no_marks_left().await;
    })
    .await;
}

async fn by_clusterctl(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        story.back_up().await;
        let target = story.arena.pair().target.kubeconfig().display().to_string();
        let directory = story.directory().display().to_string();
        let args = ["move", "--to-kubeconfig", &target, "--from-directory", &directory];
        let restored = story.arena.stage().clusterctl().run(args).await;
        let restored = restored.expect_success("clusterctl");
        for object in manifest(&story.directory())["objects"].as_array().into_iter().flatten() {
            let found = find(&story, object).await;
            assert!(found.is_some(), "{object} was not restored: {restored}");
        }
    })
    .await;
}

/// An object of a manifest in the target.
async fn find(story: &Story, object: &Value) -> Option<Object> {
    let target = &story.arena.pair().target;
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let kind: ResourceType = target.kinds().of(text("apiVersion"), text("kind"));
    let found = target.client().get(&kind, object["namespace"].as_str(), text("name")).await;
    found.expect("objects can be read")
}

/// A Cluster that is there already keeps its content and its pause state, but does not act while
/// its Machines come back.
async fn beside_others(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        story.back_up().await;
        let args = || story.restore_args(Side::Target, &story.directory());
        story.run(args()).await.expect_success("the first restore");
        let before = story.ends().await;
        let lost = json!({"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2",
            "kind": "DockerMachine",
            "namespace": story.tag, "name": "plain-worker"});
        let lost = find(&story, &lost).await.expect("it was restored");
        remove(&story, &lost).await;
        story.arena.tape().begin_run();
        let again = story.run(args()).await.expect_success("the second restore").json();
        let kept = again["reused"].as_array().map_or(0, Vec::len);
        let all = manifest(&story.directory())["objects"].as_array().map_or(0, Vec::len);
        assert_eq!(kept, all - 1, "{again:#}");
        before.check_same(&story.ends().await).unwrap_or_else(|text| panic!("{text}"));
        check_paused_meanwhile(&story);
        let plain = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "namespace": story.tag, "name": "plain"});
        let plain = find(&story, &plain).await.expect("it was there");
        assert_eq!(plain.value()["spec"].get("paused"), None);
        story.check_no_marks_left().await;
    })
    .await;
}

async fn remove(story: &Story, object: &Object) {
    let target = &story.arena.pair().target;
    let kind = target.kinds().of(object.api_version(), object.kind());
    let place = (object.namespace(), object.name());
    let free = json!({"metadata": {"finalizers": null}});
    let patch = (cluster::PatchKind::Merge, &free);
    let options = cluster::WriteOptions::default();
    target.client().patch(&kind, place, patch, &options).await.expect("finalizers can go");
    target.client().delete(&kind, place.0, place.1, object.uid()).await.expect("deletable");
}

fn check_paused_meanwhile(story: &Story) {
    let writes = story.arena.tape().writes();
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

async fn providers(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        story.back_up().await;
        let path = story.directory().join(transfer::MANIFEST);
        let newer = fs::read_to_string(&path).expect("readable").replace("\"v1.", "\"v9.");
        fs::write(&path, newer).expect("written");
        let refused = story.run(story.restore_args(Side::Target, &story.directory())).await;
        assert_eq!(refused.code, Some(exit::REFUSED), "{refused}");
        assert!(refused.says("ProviderOlder"), "{refused}");
    })
    .await;
}

async fn dry_runs(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let with = |mut args: Vec<String>| {
            args.push("--dry-run".to_owned());
            args
        };
        let planned = story.run(with(story.backup_args())).await.expect_success("a dry-run").json();
        assert_eq!(planned["outcome"], "planned");
        assert!(!story.directory().exists());
        story.back_up().await;
        story.arena.tape().begin_run();
        let args = with(story.restore_args(Side::Target, &story.directory()));
        let planned = story.run(args).await.expect_success("a dry-run").json();
        assert_eq!(planned["outcome"], "planned");
        assert_eq!(story.arena.tape().writes().len(), 0);
        let target = story.arena.pair().target.client();
        let clusters = target.list(&cluster_type(), Some(&story.tag)).await.expect("a list");
        assert_eq!(clusters.len(), 0);
    })
    .await;
}
