//! Others who change things while a move is going on.

use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::population::shapes::{BOOTSTRAP, CORE};
use kubectl_pivot_tests::proxied_pair::cluster_type;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{FaultBench, Shared, UNDONE, check_nothing_left, fresh, move_args};

/// The mark of a pause.
const PAUSED_BY: &str = "kubectl-pivot.io/paused-by";

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .case("a_change_in_the_source_after_the_copy_undoes_the_move", changed_after_copy)
        .thorough("a_foreign_object_that_appears_in_the_target_is_left_alone", appears_in_target)
        .thorough("a_copy_that_somebody_deletes_undoes_the_move", copy_deleted)
        .thorough(
            "a_rollback_leaves_a_new_namespace_and_what_has_come_into_it",
            tenant_keeps_namespace,
        )
        .thorough("a_controller_that_asks_late_to_wait_is_waited_for", late_block_move)
        .thorough("controllers_have_their_whole_time_to_report_after_a_block_move", late_reports)
        .thorough("a_machine_created_before_the_pause_is_moved", machine_before_pause)
        .thorough("a_mark_that_a_tenant_forges_in_the_middle_changes_nothing", forged_mark)
        .thorough(
            "a_cluster_whose_pause_a_tenant_claims_in_the_middle_is_not_moved",
            |fault_bench| async move { claimed_pause(fault_bench, "zzz".into()).await },
        )
        .thorough(
            "a_cluster_whose_pause_a_tenant_takes_from_the_run_is_not_moved",
            |fault_bench| async move { claimed_pause(fault_bench, Value::Null).await },
        )
        .thorough("a_finalizer_that_is_put_back_does_not_stop_the_move", finalizer_put_back)
}

/// Keeps the last write before the copies are read back: the last create.
fn at_the_last_copy(copies: usize) -> Rule {
    let is_copy = |call: &Call| {
        call.is_write() && call.method == "POST" && call.side == Side::Target && !call.is_lease()
    };
    Rule::when(is_copy, Fault::HoldAfter).skip(copies - 1).times(1)
}

async fn changed_after_copy(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    proxied_pair.traffic().rule(at_the_last_copy(10));
    let mut running = proxied_pair.program().start(proxied_pair.move_args(&tag));
    proxied_pair.traffic().held().await;
    let client = proxied_pair.pair().source.client();
    let place = (Some(&*tag), "plain-worker");
    let change = json!({"metadata": {"annotations": {"changed": "by somebody"}}});
    patch(client, &machines(), place, &change).await;
    proxied_pair.traffic().release();
    let before = with_change(proxied_pair.ends(&tag).await.source);
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says("plain-worker") && outcome.says("changed"), "{outcome}");
    let after = proxied_pair.ends(&tag).await;
    let machine = "Machine.cluster.x-k8s.io TAG/plain-worker";
    let left = after.source.get(machine).map(|left| &left["metadata"]["annotations"]);
    assert_eq!(left, Some(&json!({"changed": "by somebody"})), "{outcome}");
    // The annotations were none before, so the move has made the map that is now another's, too.
    assert_eq!(with_change(after.source), before, "{outcome}");
    let copies = after.target.payload();
    assert!(copies.is_empty(), "{copies:?}\n{outcome}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// The changed Machine, without what the move has written to it meanwhile.
fn with_change(dump: kubectl_pivot_tests::dump::Dump) -> Option<Value> {
    let mut machine = dump.get("Machine.cluster.x-k8s.io TAG/plain-worker").cloned()?;
    let metadata = machine["metadata"].as_object_mut()?;
    let annotations = metadata["annotations"].as_object_mut()?;
    annotations.retain(|name, _| name == "changed");
    let managers = metadata["managedFields"].as_object_mut()?;
    managers.retain(|name, _| !name.starts_with("kubectl-pivot "));
    Some(machine)
}

/// Somebody creates an object of a name that is about to be copied.
async fn appears_in_target(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let before = proxied_pair.ends(&tag).await;
    // The namespace is created first, the Secrets of a Machine are among the last.
    proxied_pair.traffic().rule(at_the_last_copy(5));
    let mut running = proxied_pair.program().start(proxied_pair.move_args(&tag));
    proxied_pair.traffic().held().await;
    let client = proxied_pair.pair().target.client();
    let secret = Object::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata":
        {"name": "plain-worker", "namespace": tag}, "stringData": {"value": "of somebody else"}}));
    let options = WriteOptions::manager("somebody");
    let kind = ResourceType::core("Secret", "secrets");
    let created = client.create(&kind, &secret, &options).await.expect("is not there yet");
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says("plain-worker"), "{outcome}");
    let now = client.get(&kind, Some(&tag), "plain-worker").await.expect("can be read");
    assert_eq!(now.as_ref().map(Object::value), Some(created.value()));
    client.delete(&kind, Some(&tag), "plain-worker", created.uid()).await.expect("is there");
    let mut after = proxied_pair.ends(&tag).await;
    after.target.0.remove("Namespace TAG").expect("the Secret has kept it");
    before.check_put_back(&after).unwrap_or_else(|text| panic!("{text}"));
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// Finalizers keep it in sight, but it will not last.
async fn copy_deleted(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let before = proxied_pair.ends(&tag).await;
    let is_below = |call: &Call| {
        call.method == "POST"
            && call.is_write()
            && call.is_about("secrets")
            && call.body["metadata"]["name"] == "plain-worker"
    };
    proxied_pair.traffic().rule(Rule::when(is_below, Fault::HoldBefore).times(1));
    let mut running = proxied_pair.program().start(proxied_pair.move_args(&tag));
    proxied_pair.traffic().held().await;
    let client = proxied_pair.pair().target.client();
    let copy = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    let uid = copy.expect("was copied").uid().to_owned();
    // Its controller has put it there already.
    let held = json!({"metadata": {"finalizers": ["machine.cluster.x-k8s.io"]}});
    patch(client, &machines(), (Some(&tag), "plain-worker"), &held).await;
    client.delete(&machines(), Some(&tag), "plain-worker", &uid).await.expect("is there");
    let going = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    assert!(going.is_some_and(|going| going.is_being_deleted()), "it has finalizers");
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says("plain-worker") && outcome.says("deletionTimestamp"), "{outcome}");
    before.check_put_back(&proxied_pair.ends(&tag).await).unwrap_or_else(|text| panic!("{text}"));
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// The namespace was created by the run, and stays with everything that others have put into it.
async fn tenant_keeps_namespace(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let before = proxied_pair.ends(&tag).await;
    proxied_pair.traffic().rule(at_the_last_copy(5));
    let mut args = proxied_pair.move_args(&tag);
    args.retain(|arg| arg != "--quiet");
    let mut running = proxied_pair.program().start(args);
    proxied_pair.traffic().held().await;
    let client = proxied_pair.pair().target.client();
    let kind = ResourceType::new("apps/v1", "Deployment", "deployments", true);
    let pod = json!({"metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "a", "image": "a"}]}});
    let tenant = Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "tenant", "namespace": tag},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": pod}}));
    let options = WriteOptions::manager("somebody");
    let tenant = client.create(&kind, &tenant, &options).await.expect("a Deployment");
    running.interrupt();
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert!(outcome.says(&format!("namespace {tag} stays in the target")), "{outcome}");
    let left = client.get(&kind, Some(&tag), "tenant").await.expect("can be read");
    assert_eq!(left.as_ref().map(Object::uid), Some(tenant.uid()));
    let mut after = proxied_pair.ends(&tag).await;
    let namespace = after.target.0.remove("Namespace TAG").expect("it stays");
    assert!(!namespace.to_string().contains("kubectl-pivot.io/run"), "{namespace}");
    before.check_put_back(&after).unwrap_or_else(|text| panic!("{text}"));
    check_nothing_left(proxied_pair, &tag).await;
    client.delete(&kind, Some(&tag), "tenant", tenant.uid()).await.expect("can be deleted");
    proxied_pair.clean_up(&tag).await;
}

/// The annotation comes when the move is about to look for it.
async fn late_block_move(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let is_pause = |call: &Call| call.method == "PATCH" && call.is_about("clusters");
    proxied_pair.traffic().rule(Rule::when(is_pause, Fault::HoldAfter).times(1));
    let is_look = |call: &Call| call.method == "GET" && call.path.ends_with("/plain-worker");
    proxied_pair.traffic().rule(Rule::when(is_look, Fault::HoldAfter).times(1));
    let mut running = proxied_pair.program().start(move_args(proxied_pair, &tag));
    proxied_pair.traffic().held().await;
    let client = proxied_pair.pair().source.client();
    let place = (Some(&*tag), "plain-worker");
    let block = |value: Value| json!({"metadata": {"annotations": {"clusterctl.cluster.x-k8s.io/block-move": value}}});
    patch(client, &machines(), place, &block("".into())).await;
    proxied_pair.traffic().release();
    proxied_pair.traffic().held().await;
    let copies = proxied_pair.pair().target.client().list(&machines(), Some(&tag)).await;
    assert!(copies.expect("can be listed").is_empty(), "copied although it asks to wait");
    patch(client, &machines(), place, &block(Value::Null)).await;
    proxied_pair.traffic().release();
    running.end().await.expect_success("the move");
    let left = client.list(&machines(), Some(&tag)).await.expect("can be listed");
    assert!(left.is_empty(), "{left:?}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// A controller asks to wait for longer than `--pause-timeout`; only then another one reports the
/// pause.
async fn late_reports(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let client = proxied_pair.pair().source.client();
    for name in ["plain", "awake"] {
        report(client, &cluster_type(), (&tag, name), "False").await;
    }
    let place = (Some(&*tag), "plain-worker");
    let block = |value: Value| json!({"metadata": {"annotations": {"clusterctl.cluster.x-k8s.io/block-move": value}}});
    patch(client, &machines(), place, &block("".into())).await;
    let is_look = |call: &Call| call.method == "GET" && call.path.ends_with("/plain-worker");
    proxied_pair.traffic().rule(Rule::when(is_look, Fault::HoldAfter).times(1));
    let mut args = proxied_pair.move_args(&tag);
    args.extend(["--pause-timeout", "3"].map(str::to_owned));
    let mut running = proxied_pair.program().start(args);
    proxied_pair.traffic().held().await;
    report(client, &cluster_type(), (&tag, "awake"), "True").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    patch(client, &machines(), place, &block(Value::Null)).await;
    proxied_pair.traffic().release();
    tokio::time::sleep(Duration::from_secs(1)).await;
    report(client, &cluster_type(), (&tag, "plain"), "True").await;
    running.end().await.expect_success("the move");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// The condition `Paused` as a controller writes it.
async fn report(client: &Client, kind: &ResourceType, place: (&str, &str), status: &str) {
    let place = (Some(place.0), place.1);
    let object = client.get(kind, place.0, place.1).await.expect("can be read").expect("is there");
    let mut conditions =
        object.value()["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.retain(|condition| condition["type"] != "Paused");
    conditions.push(json!({"type": "Paused", "status": status, "reason": "Proof", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}));
    let patch = json!({"status": {"conditions": conditions}});
    let options = WriteOptions::manager("manager").status();
    let reported = client.patch(kind, place, (PatchKind::Merge, &patch), &options).await;
    reported.expect("conditions can be written");
}

/// A controller that does not know yet that its Cluster is about to be paused.
async fn machine_before_pause(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let is_pause = |call: &Call| call.method == "PATCH" && call.is_about("clusters");
    proxied_pair.traffic().rule(Rule::when(is_pause, Fault::HoldBefore).times(1));
    let mut running = proxied_pair.program().start(proxied_pair.move_args(&tag));
    proxied_pair.traffic().held().await;
    let client = proxied_pair.pair().source.client();
    let worker = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    let worker = worker.expect("is there");
    let mut late = Object::new(json!({"apiVersion": CORE, "kind": "Machine", "metadata":
        {"name": "late-worker", "namespace": tag, "finalizers": worker.finalizers(),
         "labels": worker.value()["metadata"]["labels"],
         "ownerReferences": worker.value()["metadata"]["ownerReferences"]},
        "spec": worker.value()["spec"]}));
    late.value_mut()["spec"]["providerID"] = "docker:////late-worker".into();
    let options = WriteOptions::manager("manager");
    client.create(&machines(), &late, &options).await.expect("a Machine");
    let status = json!({"status": worker.value()["status"]});
    let place = (Some(&*tag), "late-worker");
    client
        .patch(&machines(), place, (PatchKind::Merge, &status), &options.status())
        .await
        .expect("a status");
    proxied_pair.traffic().release();
    running.end().await.expect_success("the move");
    let moved =
        proxied_pair.pair().target.client().get(&machines(), Some(&tag), "late-worker").await;
    assert!(moved.expect("can be read").is_some(), "the late Machine was not moved");
    let left = client.list(&machines(), Some(&tag)).await.expect("can be listed");
    assert!(left.is_empty(), "{left:?}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// A tenant marks its Secret when the move has looked at it already.
async fn forged_mark(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let is_pause = |call: &Call| call.method == "PATCH" && call.is_about("clusters");
    proxied_pair.traffic().rule(Rule::when(is_pause, Fault::HoldAfter).times(1));
    let mut running = proxied_pair.program().start(proxied_pair.move_args(&tag));
    proxied_pair.traffic().held().await;
    let secrets = ResourceType::core("Secret", "secrets");
    let mark =
        json!({"metadata": {"annotations": {"kubectl-pivot.io/run": "zzz", PAUSED_BY: "zzz"}}});
    let place = (Some(&*tag), "plain-worker");
    patch(proxied_pair.pair().source.client(), &secrets, place, &mark).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await.expect_success("the move");
    assert!(!outcome.says("FieldManagersDiffer"), "{outcome}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// A tenant makes the pause of its Cluster its own, or its user's, when the run has paused it: a
/// copy would stay paused for good.
async fn claimed_pause(fault_bench: Shared, claim: Value) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let client = proxied_pair.pair().source.client();
    let is_pause = |call: &Call| call.method == "PATCH" && call.is_about("clusters");
    proxied_pair.traffic().rule(Rule::when(is_pause, Fault::HoldAfter).times(1));
    let mut running = proxied_pair.program().start(proxied_pair.move_args(&tag));
    proxied_pair.traffic().held().await;
    let clusters = cluster_type();
    let paused = client.list(&clusters, Some(&tag)).await.expect("can be listed").into_iter();
    let mut paused = paused.filter(|cluster| cluster.annotation(PAUSED_BY).is_some());
    let name = paused.next().expect("one is paused").name().to_owned();
    let mark = |value: Value| json!({"metadata": {"annotations": {PAUSED_BY: value}}});
    patch(client, &clusters, (Some(&tag), &name), &mark(claim)).await;
    proxied_pair.traffic().release();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
    assert!(outcome.says(&name) && outcome.says("end it by hand"), "{outcome}");
    let target = proxied_pair.pair().target.client();
    let copies = target.list(&clusters, Some(&tag)).await.expect("can be listed");
    assert!(copies.is_empty(), "{copies:?}");
    let resumed = json!({"metadata": {"annotations": {PAUSED_BY: null}}, "spec": {"paused": null}});
    patch(client, &clusters, (Some(&tag), &name), &resumed).await;
    proxied_pair
        .program()
        .run(proxied_pair.move_args(&tag))
        .await
        .expect_success("the move without it");
    let moved = target.list(&clusters, Some(&tag)).await.expect("can be listed");
    assert!(moved.iter().any(|cluster| cluster.name() == name), "{moved:?}");
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

/// A controller that has reported the pause and whose cache is old adds its finalizer right before
/// the deletion; an API server takes no new ones after it. The move has seen none on this object.
async fn finalizer_put_back(fault_bench: Shared) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let kind = ResourceType::new(BOOTSTRAP, "KubeadmConfig", "kubeadmconfigs", true);
    let client = proxied_pair.pair().source.client();
    report(client, &kind, (&tag, "plain-worker"), "True").await;
    let is_delete = |call: &Call| {
        call.method == "DELETE" && call.side == Side::Source && call.is_about("kubeadmconfigs")
    };
    proxied_pair.traffic().rule(Rule::when(is_delete, Fault::HoldBefore).times(1));
    let mut running = proxied_pair.program().start(move_args(proxied_pair, &tag));
    proxied_pair.traffic().held().await;
    let stubborn = json!({"metadata": {"finalizers": ["proof.kubectl-pivot.io/stubborn"]}});
    patch(client, &kind, (Some(&tag), "plain-worker"), &stubborn).await;
    proxied_pair.traffic().release();
    running.end().await.expect_success("the move");
    let mut ends = proxied_pair.ends(&tag).await;
    // Who has written a status in the source manages it in the target too, as after a move by
    // clusterctl.
    let config = ends.target.0.get_mut("KubeadmConfig.bootstrap.cluster.x-k8s.io TAG/plain-worker");
    let managers = &mut config.expect("it was moved")["metadata"]["managedFields"];
    let managers = managers.as_object_mut().expect("it has managers");
    let reporting = managers.remove(&format!("manager Update {BOOTSTRAP} status"));
    assert!(reporting.is_some_and(|fields| fields.to_string().contains("Paused")));
    fault_bench.undisturbed.check_same(&ends).unwrap_or_else(|text| panic!("{text}"));
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

fn machines() -> ResourceType {
    ResourceType::new(CORE, "Machine", "machines", true)
}

async fn patch(client: &Client, kind: &ResourceType, place: (Option<&str>, &str), patch: &Value) {
    let options = WriteOptions::manager("somebody");
    client.patch(kind, place, (PatchKind::Merge, patch), &options).await.expect("is there");
}
