//! Others who write to the source while a move works on it: GitOps tools that resume and re-create,
//! controllers that create late, people who edit and delete.

use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::population::shapes::{CORE, DOCKER};
use kubectl_pivot_tests::program::Running;
use kubectl_pivot_tests::proxied_pair::cluster_type;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{
    FaultBench, Shared, UNDONE, UNFINISHED, check_moved, check_nothing_left, fresh, move_args,
};

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .thorough(
            "a_cluster_that_is_resumed_before_the_commit_undoes_the_move",
            resumed_before_commit,
        )
        .case("a_cluster_that_is_resumed_once_after_the_commit_is_paused_again", resumed_once)
        .thorough("a_cluster_that_is_always_resumed_stops_the_deletions", always_resumed)
        .case("a_machine_that_appears_after_the_copy_moves_too", late_machine)
        .thorough("an_object_of_a_new_kind_that_appears_after_the_copy_moves_too", late_kind)
        .case("an_edit_after_the_verification_is_not_deleted", edited_after_verification)
        .thorough("a_status_that_controllers_write_does_not_stop_a_deletion", status_written)
        .thorough("an_object_that_appears_after_the_commit_holds_its_owners", appears_after_commit)
        .thorough("an_object_that_appears_before_the_commit_undoes_the_move", appears_before_commit)
        .case("a_finalizer_that_comes_back_stops_the_deletions", finalizer_put_back)
        .case("a_cluster_that_is_created_again_stays_away_from_the_target", created_again)
        .thorough(
            "a_machine_that_is_deleted_after_the_checks_undoes_the_move",
            deleted_after_checks,
        )
        .thorough("a_cluster_that_goes_after_the_checks_undoes_the_move", gone_after_checks)
        .thorough(
            "a_finalizer_that_the_target_adds_does_not_undo_the_move",
            finalizer_added_by_target,
        )
}

/// Keeps the answer to the last copy, after which the copies are read back: everything is in both
/// clusters.
pub(super) fn at_the_last_copy() -> Rule {
    let is_last = |call: &Call| {
        call.method == "POST"
            && call.side == Side::Target
            && call.is_write()
            && call.is_about("secrets")
            && call.body["metadata"]["name"] == "plain-worker"
    };
    Rule::when(is_last, Fault::HoldAfter).times(1)
}

/// Keeps the answer to the write that makes the commit true.
fn at_the_commit() -> Rule {
    let is_commit =
        |call: &Call| call.side == Side::Target && call.phase().as_deref() == Some("deleting");
    Rule::when(is_commit, Fault::HoldAfter).times(1)
}

fn at_the_deletion_of(plural: &'static str, name: &'static str, fault: Fault) -> Rule {
    let is_it = move |call: &Call| {
        call.method == "DELETE"
            && call.side == Side::Source
            && call.path.ends_with(&format!("/{plural}/{name}"))
    };
    Rule::when(is_it, fault).times(1)
}

/// Starts a move and waits until the rule keeps one of its requests.
async fn start_until(fault_bench: &FaultBench, tag: &str, rule: Rule) -> Running {
    let proxied_pair = &fault_bench.proxied_pair;
    proxied_pair.traffic().rule(rule);
    let mut args = move_args(proxied_pair, tag);
    args.retain(|arg| arg != "--quiet");
    let mut running = proxied_pair.program().start(args);
    tokio::select! {
        outcome = running.end() => panic!("the move has ended before the fault: {outcome}"),
        () = proxied_pair.traffic().held() => running,
    }
}

/// A GitOps tool applies a manifest with `paused: false` a few seconds after the pause.
async fn resumed_before_commit(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_last_copy()).await;
    resume_cluster(proxied_pair.pair().source.client(), &tag).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says("plain is active in the source cluster"), "{outcome}");
    let copies = proxied_pair.ends(&tag).await.target;
    assert_eq!(copies.payload(), Vec::<&str>::new(), "{outcome}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// Somebody sees a paused Cluster and resumes it.
async fn resumed_once(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_commit()).await;
    let client = proxied_pair.pair().source.client();
    resume_cluster(client, &tag).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await.expect_success("the move");
    assert!(outcome.says("somebody has resumed Cluster"), "{outcome}");
    check_nothing_left(proxied_pair, &tag).await;
    let left = client.list(&cluster_type(), Some(&tag)).await.expect("can be listed");
    assert!(left.is_empty(), "{left:?}");
    proxied_pair.clean_up(&tag).await;
}

/// A GitOps tool with self-healing.
async fn always_resumed(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_commit()).await;
    let client = proxied_pair.pair().source.client().clone();
    let healed = tag.clone();
    let healing = tokio::spawn(async move {
        loop {
            resume_cluster(&client, &healed).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    healing.abort();
    assert_eq!(outcome.code, Some(UNFINISHED), "{outcome}");
    assert!(outcome.says("is active in the source cluster"), "{outcome}");
    let deleted = proxied_pair.traffic().writes().iter().any(|write| {
        write.call.method == "DELETE" && write.call.side == Side::Source && !write.call.is_lease()
    });
    assert!(!deleted, "deleted although the source is active: {outcome}");
    proxied_pair.traffic().begin_run();
    let args = [proxied_pair.args("resume"), vec!["--force-unlock".to_owned()]].concat();
    proxied_pair.program().run(args).await.expect_success("resume");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// A controller that has read the Cluster before the pause creates a Machine.
async fn late_machine(fault_bench: Shared) {
    let machine = |worker: &Object| {
        let mut late = worker.clone();
        late.value_mut()["metadata"] = json!({"name": "late-worker",
            "namespace": worker.namespace(),
            "labels": worker.value()["metadata"]["labels"],
            "ownerReferences": worker.value()["metadata"]["ownerReferences"]});
        late.value_mut()["spec"]["providerID"] = "docker:////late-worker".into();
        late
    };
    appears_late(fault_bench, machines(), machine).await;
}

/// Nothing of this kind was there when the move began.
async fn late_kind(fault_bench: Shared) {
    let kind = ResourceType::new(CORE, "MachineHealthCheck", "machinehealthchecks", true);
    let check = |worker: &Object| {
        Object::new(json!({"apiVersion": CORE, "kind": "MachineHealthCheck", "metadata":
            {"name": "late-check", "namespace": worker.namespace(),
             "ownerReferences": worker.value()["metadata"]["ownerReferences"]},
            "spec": {"clusterName": "plain", "selector": {"matchLabels": {"a": "b"}},
                "checks": {"nodeStartupTimeoutSeconds": 600}}}))
    };
    appears_late(fault_bench, kind, check).await;
}

async fn appears_late(
    fault_bench: Shared,
    kind: ResourceType,
    late: impl FnOnce(&Object) -> Object,
) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_last_copy()).await;
    let client = proxied_pair.pair().source.client();
    let worker = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    let worker = worker.expect("is there");
    let late = late(&worker);
    let options = WriteOptions::manager("manager");
    client.create(&kind, &late, &options).await.expect("is not there yet");
    if kind == machines() {
        let status = json!({"status": worker.value()["status"]});
        let place = (Some(&*tag), late.name());
        let patch = (PatchKind::Merge, &status);
        client.patch(&kind, place, patch, &options.status()).await.expect("a status");
    }
    proxied_pair.traffic().release();
    running.end().await.expect_success("the move");
    let target = proxied_pair.pair().target.client();
    let copy = target.get(&kind, Some(&tag), late.name()).await.expect("can be read");
    assert!(copy.is_some(), "{} was not moved", late.id());
    let left = client.list(&kind, Some(&tag)).await.expect("can be listed");
    assert!(left.is_empty(), "{left:?}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// Somebody creates a Secret below a Machine. With the Machine the garbage collector would delete
/// it, and the target has no copy.
async fn appears_after_commit(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_commit()).await;
    let client = proxied_pair.pair().source.client();
    let secret = create_below_worker(client, &tag).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNFINISHED), "{outcome}");
    assert!(outcome.says("late-secret") && outcome.says("appeared"), "{outcome}");
    let kept = client.get(&secrets(), Some(&tag), "late-secret").await.expect("can be read");
    assert!(kept.is_some_and(|kept| !kept.is_being_deleted()), "it is lost: {outcome}");
    let worker = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    assert!(worker.is_some_and(|worker| !worker.is_being_deleted()), "{outcome}");
    let args = [proxied_pair.args("resume"), vec!["--force-unlock".to_owned()]].concat();
    let again = proxied_pair.program().run(&args).await;
    assert_eq!(again.code, Some(UNFINISHED), "{again}");
    let deleted = client.delete(&secrets(), Some(&tag), "late-secret", secret.uid()).await;
    deleted.expect("is there");
    proxied_pair.program().run(&args).await.expect_success("resume");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// The same while copies are handed over.
async fn appears_before_commit(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let is_hand_over = |call: &Call| call.side == Side::Target && call.method == "PATCH";
    let is_hand_over = move |call: &Call| is_hand_over(call) && call.is_about("secrets");
    let rule = Rule::when(is_hand_over, Fault::HoldAfter).times(1);
    let mut running = start_until(&fault_bench, &tag, rule).await;
    let client = proxied_pair.pair().source.client();
    create_below_worker(client, &tag).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says("late-secret") && outcome.says("appeared"), "{outcome}");
    let kept = client.get(&secrets(), Some(&tag), "late-secret").await.expect("can be read");
    assert!(kept.is_some(), "it is lost: {outcome}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

async fn create_below_worker(client: &Client, tag: &str) -> Object {
    let worker = client.get(&machines(), Some(tag), "plain-worker").await.expect("can be read");
    let worker = worker.expect("is there");
    let owner = json!([{"apiVersion": CORE, "kind": "Machine", "name": worker.name(),
        "uid": worker.uid()}]);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late-secret",
        "namespace": tag, "ownerReferences": owner}});
    let options = WriteOptions::manager("somebody");
    let created = client.create(&secrets(), &Object::new(secret), &options).await;
    created.expect("is not there yet")
}

fn secrets() -> ResourceType {
    ResourceType::core("Secret", "secrets")
}

/// `kubectl scale` while the source is being deleted.
async fn edited_after_verification(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_commit()).await;
    let client = proxied_pair.pair().source.client();
    let place = (Some(&*tag), "plain-worker");
    let edit = json!({"metadata": {"labels": {"edited": "late"}}});
    patch(client, &machines(), place, &edit).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNFINISHED), "{outcome}");
    assert!(outcome.says("plain-worker") && outcome.says("changed"), "{outcome}");
    let edited = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    let edited = edited.expect("the edited Machine is still there");
    assert_eq!(edited.label("edited"), Some("late"));
    assert!(!edited.is_being_deleted());
    let resume = [proxied_pair.args("resume"), vec!["--force-unlock".to_owned()]].concat();
    let again = proxied_pair.program().run(&resume).await;
    assert_eq!(again.code, Some(UNFINISHED), "{again}");
    assert!(again.says("plain-worker") && again.says("changed"), "{again}");
    // Made in the target too, the edit is safe.
    patch(proxied_pair.pair().target.client(), &machines(), place, &edit).await;
    proxied_pair.program().run(&resume).await.expect_success("resume");
    let copy =
        proxied_pair.pair().target.client().get(&machines(), Some(&tag), "plain-worker").await;
    let copy = copy.expect("can be read").expect("was moved");
    assert_eq!(copy.label("edited"), Some("late"));
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// The controller of a paused Machine reports.
async fn status_written(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let rule = at_the_deletion_of("machines", "plain-worker", Fault::HoldBefore);
    let mut running = start_until(&fault_bench, &tag, rule).await;
    let client = proxied_pair.pair().source.client();
    let status = json!({"status": {"phase": "Pending"}});
    let (place, options) =
        ((Some(&*tag), "plain-worker"), WriteOptions::manager("manager").status());
    client
        .patch(&machines(), place, (PatchKind::Merge, &status), &options)
        .await
        .expect("a status");
    proxied_pair.traffic().release();
    running.end().await.expect_success("the move");
    check_moved(&fault_bench, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// A provider ignores every pause, reports none, and keeps hold of what it works on.
async fn finalizer_put_back(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let kind = ResourceType::new(DOCKER, "DockerCluster", "dockerclusters", true);
    let (source, target) =
        (proxied_pair.pair().source.client(), proxied_pair.pair().target.client());
    let place = (Some(&*tag), "plain");
    let before = source.get(&kind, place.0, place.1).await.expect("can be read");
    let before = before.expect("is there");
    let finalizers = json!(before.finalizers());
    assert_ne!(finalizers, json!([]), "nothing can be put back");
    let rule = at_the_deletion_of("dockerclusters", "plain", Fault::HoldBefore);
    let mut running = start_until(&fault_bench, &tag, rule).await;
    patch(source, &kind, place, &json!({"metadata": {"finalizers": finalizers}})).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNFINISHED), "{outcome}");
    assert!(outcome.says("put a finalizer on DockerCluster"), "{outcome}");
    let kept = source.get(&kind, place.0, place.1).await.expect("can be read");
    let kept = kept.expect("its controller works on it");
    assert!(!kept.is_being_deleted(), "{outcome}");
    let copy = target.get(&kind, place.0, place.1).await.expect("can be read");
    let copy = copy.expect("was moved");
    assert!(copy.annotation("cluster.x-k8s.io/paused").is_some(), "active on both sides");
    assert_eq!(json!(copy.finalizers()), finalizers);
    // Somebody has stopped the provider.
    let args = [proxied_pair.args("resume"), vec!["--force-unlock".to_owned()]].concat();
    proxied_pair.program().run(&args).await.expect_success("resume");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// A GitOps tool notices that a Cluster is missing.
async fn created_again(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let client = proxied_pair.pair().source.client();
    let before = client.get(&cluster_type(), Some(&tag), "plain").await.expect("can be read");
    let before = before.expect("is there");
    let rule = at_the_deletion_of("clusters", "plain", Fault::HoldAfter);
    let mut running = start_until(&fault_bench, &tag, rule).await;
    let again = Object::new(json!({"apiVersion": CORE, "kind": "Cluster",
        "metadata": {"name": "plain", "namespace": tag}, "spec": before.value()["spec"]}));
    let options = WriteOptions::manager("gitops");
    let again = client.create(&cluster_type(), &again, &options).await.expect("is gone");
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNFINISHED), "{outcome}");
    assert!(outcome.says("plain is in the source cluster again"), "{outcome}");
    let target = proxied_pair.pair().target.client();
    let copy = target.get(&cluster_type(), Some(&tag), "plain").await.expect("can be read");
    let copy = copy.expect("was moved");
    assert_eq!(copy.value()["spec"]["paused"], true, "active on both sides");
    assert_eq!(proxied_pair.traffic().timeline().violations(), Vec::<String>::new());
    let args = [proxied_pair.args("resume"), vec!["--force-unlock".to_owned()]].concat();
    let refused = proxied_pair.program().run(&args).await;
    assert_eq!(refused.code, Some(UNFINISHED), "{refused}");
    let untouched = client.get(&cluster_type(), Some(&tag), "plain").await.expect("can be read");
    assert_eq!(untouched.as_ref().map(Object::uid), Some(again.uid()), "{refused}");
    client.delete(&cluster_type(), Some(&tag), "plain", again.uid()).await.expect("is there");
    proxied_pair.program().run(&args).await.expect_success("resume");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// Minutes may go by between the checks and the pause.
async fn deleted_after_checks(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_first_pause()).await;
    let client = proxied_pair.pair().source.client();
    let worker = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    let uid = worker.expect("is there").uid().to_owned();
    proxied_pair.traffic().note_deleted_by_others(&uid);
    client.delete(&machines(), Some(&tag), "plain-worker", &uid).await.expect("has finalizers");
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says("plain-worker") && outcome.says("being deleted"), "{outcome}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

async fn gone_after_checks(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_first_pause()).await;
    let client = proxied_pair.pair().source.client();
    let place = (Some(&*tag), "resting");
    patch(client, &cluster_type(), place, &json!({"metadata": {"finalizers": null}})).await;
    let resting = client.get(&cluster_type(), place.0, place.1).await.expect("can be read");
    let uid = resting.expect("is there").uid().to_owned();
    client.delete(&cluster_type(), place.0, place.1, &uid).await.expect("is there");
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says("resting") && outcome.says("is gone now"), "{outcome}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// Controllers of a newer version add a finalizer of their own, also to what is paused.
async fn finalizer_added_by_target(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let mut running = start_until(&fault_bench, &tag, at_the_last_copy()).await;
    let client = proxied_pair.pair().target.client();
    let place = (Some(&*tag), "plain-worker");
    let both = json!(["proof.kubectl-pivot.io/newer", "machine.cluster.x-k8s.io"]);
    patch(client, &machines(), place, &json!({"metadata": {"finalizers": both}})).await;
    proxied_pair.traffic().release();
    running.end().await.expect_success("the move");
    let copy = client.get(&machines(), place.0, place.1).await.expect("can be read");
    let copy = copy.expect("was moved");
    assert_eq!(json!(copy.finalizers()), both);
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

fn at_the_first_pause() -> Rule {
    let is_pause = |call: &Call| call.method == "PATCH" && call.is_about("clusters");
    Rule::when(is_pause, Fault::HoldBefore).times(1)
}

fn machines() -> ResourceType {
    ResourceType::new(CORE, "Machine", "machines", true)
}

/// Ends the pause of a Cluster, if it is there.
async fn resume_cluster(client: &Client, tag: &str) {
    let resume = json!({"spec": {"paused": false}});
    let options = WriteOptions::manager("gitops");
    let place = (Some(tag), "plain");
    // It may be gone.
    let _ = client.patch(&cluster_type(), place, (PatchKind::Merge, &resume), &options).await;
}

async fn patch(client: &Client, kind: &ResourceType, place: (Option<&str>, &str), patch: &Value) {
    let options = WriteOptions::manager("somebody");
    client.patch(kind, place, (PatchKind::Merge, patch), &options).await.expect("is there");
}
