//! An old management cluster that is replaced: it stays, paused, until somebody deletes it or goes
//! back to it.

use std::sync::Arc;

use capi::{Object, is_cluster};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use serde_json::{Value, json};

use crate::bench::{Bench, Management};
use crate::population::{MACHINES, fleet, fleet_at_rest};
use crate::recovery::{at, contents};
use crate::{ids, machines};

/// The annotation with which a run marks what it has paused.
const PAUSED_BY: &str = "kubectl-pivot.io/paused-by";

/// Nobody reports a pause in a source without controllers, and nothing becomes Available in this
/// target.
pub(crate) fn replace(namespace: &str) -> Vec<&str> {
    let fixed = ["replace", "--yes", "--trust-pause", "*", "--settle", "0", "--timeout", "0"];
    let more = ["--max-in-flight", "1", "-o", "json", "-n", namespace];
    fixed.into_iter().chain(more).collect()
}

/// A dry-run changes nothing; a replacement leaves the source as it is; a second one finds the
/// first.
pub(crate) async fn kept(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let refused = bench.run(&["replace", "-n", &namespace, "--yes"]).await;
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.says("[PauseUnreported]"), "{refused}");
    let before = contents(&bench.dump(&bench.source, &namespace).await);
    let plan = bench.run(&[&replace(&namespace)[..], &["--dry-run"]].concat()).await;
    plan.expect_success("the dry-run");
    assert_eq!(contents(&bench.dump(&bench.source, &namespace).await), before);
    check_replaced(&bench.run(&replace(&namespace)).await);
    check_sides(&bench, &namespace).await;
    check_refusals(&bench, &namespace).await;
    check_replaced(&bench.run(&replace(&namespace)).await);
    label(&bench.source, &namespace, Some("yes")).await;
    let refused = bench.run(&["replace", "--delete-old", "--yes"]).await;
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.says("nothing was deleted") && refused.says("Cluster"), "{refused}");
    label(&bench.source, &namespace, None).await;
    delete_old(&bench, &namespace).await;
}

/// Sets a label of a Cluster, as a user does.
async fn label(side: &Management, namespace: &str, value: Option<&str>) {
    let versions = ["cluster.x-k8s.io/v1beta2", "cluster.x-k8s.io/v1beta1"];
    let version = versions.into_iter().find(|version| side.kinds.serve(version, "Cluster"));
    let kind = side.kinds.of(version.expect("one is served"), "Cluster");
    let change = json!({"metadata": {"labels": {"of-a-user": value}}});
    let (place, options) = ((Some(namespace), "plain"), WriteOptions::manager("kubectl-label"));
    side.client.patch(&kind, place, (PatchKind::Merge, &change), &options).await.expect("a patch");
}

/// Killed at steps on the way there, and while the old objects are deleted.
pub(crate) async fn killed(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let args = replace(&namespace);
    for rule in [at("POST", Side::Target, 9), at("PATCH", Side::Target, 5)] {
        bench.kill_at(&args, rule).await;
    }
    // The copies are handed over by then: this is in the middle of the resume.
    bench.kill_at(&args, resuming()).await;
    check_replaced(&bench.run(&args).await);
    check_sides(&bench, &namespace).await;
    let delete = ["replace", "--delete-old", "--yes", "--max-in-flight", "1"];
    bench.kill_at(&delete, at("DELETE", Side::Source, 4)).await;
    let too_late = bench.run(&["rollback", "--yes"]).await;
    assert_eq!(too_late.code, Some(3), "{too_late}");
    delete_old(&bench, &namespace).await;
}

/// The way back is open as long as the target is as it was copied, also after kills.
pub(crate) async fn rolled_back(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet_at_rest).await;
    let before = written(&bench.dump(&bench.source, &namespace).await);
    check_replaced(&bench.run(&replace(&namespace)).await);
    scale(&bench, &namespace, 3).await;
    let refused = bench.run(&["rollback", "--yes"]).await;
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.says("MachineDeployment") && refused.says("spec.replicas"), "{refused}");
    let active = bench.dump(&bench.target, &namespace).await;
    assert!(active.iter().all(|object| object.annotation(PAUSED_BY).is_none()), "it continues");
    scale(&bench, &namespace, 1).await;
    changed_after_comparison(&bench, &namespace).await;
    let slow = ["rollback", "--yes"];
    bench.kill_at(&slow, at("PATCH", Side::Target, 1)).await;
    bench.kill_at(&slow, at("DELETE", Side::Target, 3)).await;
    bench.run(&["rollback", "--yes", "--force-unlock"]).await.expect_success("the rollback");
    assert_eq!(written(&bench.dump(&bench.source, &namespace).await), before);
    assert_eq!(ids(&bench.dump(&bench.target, &namespace).await), Vec::<String>::new());
    // Nothing of it is in the way of a move.
    bench.run(&["move", "-n", &namespace, "--yes"]).await.expect_success("the move");
}

/// Scales a MachineDeployment of the target, as a user does.
pub(crate) async fn scale(bench: &Bench, namespace: &str, replicas: u32) {
    let kind = bench.target.kinds.of("cluster.x-k8s.io/v1beta2", "MachineDeployment");
    let change = json!({"spec": {"replicas": replicas}});
    let (place, patch) = ((Some(namespace), "plain-md"), (PatchKind::Merge, &change));
    let options = WriteOptions::manager("kubectl-scale");
    bench.target.client.patch(&kind, place, patch, &options).await.expect("the patch");
}

/// A copy that somebody changes while the rollback is about to delete it is not deleted: the next
/// one does that, unless the change is one of its spec.
async fn changed_after_comparison(bench: &Bench, namespace: &str) {
    let is_compared =
        |call: &Call| call.side == Side::Target && call.phase().as_deref() == Some("undoing");
    let rule = Rule::when(is_compared, Fault::HoldAfter).times(1);
    let mut running = bench.start_until(&["rollback", "--yes"], rule).await;
    let kind = bench.target.kinds.of("cluster.x-k8s.io/v1beta2", "MachineDeployment");
    let place = (Some(namespace), "plain-md");
    let change = json!({"metadata": {"labels": {"edited": "late"}}});
    let (patch, options) = ((PatchKind::Merge, &change), WriteOptions::manager("somebody"));
    bench.target.client.patch(&kind, place, patch, &options).await.expect("the patch");
    bench.release();
    check_changed(&running.end().await);
    let kept = bench.target.client.get(&kind, place.0, place.1).await.expect("can be read");
    assert_eq!(kept.expect("is still there").label("edited"), Some("late"));
    scale(bench, namespace, 3).await;
    check_changed(&bench.run(&["rollback", "--yes"]).await);
    scale(bench, namespace, 1).await;
}

fn check_changed(stopped: &Outcome) {
    assert_eq!(stopped.code, Some(6), "{stopped}");
    assert!(stopped.says("plain-md changed in the target cluster"), "{stopped}");
}

/// The source works again without its target, which has lost nothing that a move would miss.
pub(crate) async fn given_up(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet_at_rest).await;
    let before = contents(&bench.dump(&bench.source, &namespace).await);
    check_replaced(&bench.run(&replace(&namespace)).await);
    let rollback = ["rollback", "--yes", "--target-is-gone=sure"];
    let rolled_back = bench.run_on(&bench.source, "--kubeconfig", &rollback).await;
    rolled_back.expect_success("the rollback");
    assert_eq!(contents(&bench.dump(&bench.source, &namespace).await), before);
    let resumed = bench.run(&["resume", "--yes"]).await;
    assert_eq!(resumed.code, Some(4), "{resumed}");
    // The target is there after all, and has its record still.
    let end = ["resume", "--yes", "--source-is-gone=sure"];
    let ended = bench.run_on(&bench.target, "--to-kubeconfig", &end).await;
    ended.expect_success("the end in the target");
    let status = bench.run(&["status", "-o", "json"]).await.expect_success("status").json();
    assert_eq!(status["clusters"][1]["run"], Value::Null, "{status:#}");
}

/// The objects without their status, which live controllers of a source write anew.
pub(crate) fn written(objects: &[Object]) -> Vec<Value> {
    let mut contents = contents(objects);
    for content in &mut contents {
        content.as_object_mut().expect("an object").remove("status");
    }
    contents
}

/// The patch that takes the mark of the pause off a Cluster of the target.
fn resuming() -> Rule {
    let applies = |call: &Call| {
        call.side == Side::Target
            && call.method == "PATCH"
            && call.path.contains("/clusters/")
            && call.body["metadata"]["annotations"].get(PAUSED_BY).is_some()
    };
    Rule::when(applies, Fault::HoldAfter).times(1)
}

pub(crate) fn check_replaced(outcome: &Outcome) {
    // The machines of this fleet do not exist, so its Clusters never become Available.
    assert_eq!(outcome.code, Some(7), "{outcome}");
    let report = outcome.json();
    assert_eq!(report["move"]["outcome"], "replaced", "{outcome}");
    let checks = report["checks"].as_array().expect("a list");
    let paused = checks.iter().find(|check| check["rule"] == "SourcePaused");
    assert_eq!(paused.expect("a check of the source")["violations"], json!([]));
}

/// The source has everything, paused by the run; the target works, without marks.
async fn check_sides(bench: &Bench, namespace: &str) {
    let source = bench.dump(&bench.source, namespace).await;
    assert_eq!(machines(&source), MACHINES);
    for cluster in source.iter().filter(|object| is_cluster(object)) {
        assert_eq!(cluster.value()["spec"]["paused"], json!(true), "{}", cluster.id());
        assert!(cluster.annotation(PAUSED_BY).is_some(), "{}", cluster.id());
    }
    let target = bench.dump(&bench.target, namespace).await;
    assert_eq!(machines(&target), MACHINES);
    for object in target.iter().filter(|object| !object.group().is_empty()) {
        let marks = object.value()["metadata"]["annotations"].to_string();
        assert!(!marks.contains("kubectl-pivot.io"), "{}: {marks}", object.id());
        assert_ne!(object.value()["spec"]["paused"], json!(true), "{}", object.id());
    }
}

/// The source waits for its end; the target is a management cluster as any other.
async fn check_refusals(bench: &Bench, namespace: &str) {
    let status = bench.run(&["status", "-o", "json"]).await.expect_success("status").json();
    assert_eq!(status["clusters"][0]["run"]["phase"], "left", "{status:#}");
    let moved = bench.run(&["move", "-n", namespace, "--yes"]).await;
    assert_eq!(moved.code, Some(3), "{moved}");
    assert!(moved.says("was replaced by the run"), "{moved}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name).display().to_string();
    let (old, new) = (place("old"), place("new"));
    let args = |place| ["backup", place, "-n", namespace];
    let backup = bench.run_on(&bench.source, "--kubeconfig", &args(&old)).await;
    assert_eq!(backup.code, Some(3), "{backup}");
    let backup = bench.run_on(&bench.target, "--kubeconfig", &args(&new)).await;
    // Its machines do not exist, so that is all there is against it.
    assert!(backup.says("[NotProvisioned]") && !backup.says("[Interrupted]"), "{backup}");
}

async fn delete_old(bench: &Bench, namespace: &str) {
    let deleted = bench.run(&["replace", "--delete-old", "--yes", "-o", "json"]).await;
    let report = deleted.expect_success("the deletion").json();
    assert_eq!(report["outcome"], "moved", "{report:#}");
    assert_eq!(ids(&bench.dump(&bench.source, namespace).await), Vec::<String>::new());
    assert_eq!(machines(&bench.dump(&bench.target, namespace).await), MACHINES);
    let again = bench.run(&["replace", "--delete-old", "--yes"]).await;
    assert_eq!(again.code, Some(4), "{again}");
}
