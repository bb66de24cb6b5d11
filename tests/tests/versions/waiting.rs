//! Replacements that wait for their end, and what happens meanwhile.

use std::sync::Arc;

use capi::{Object, is_cluster};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::{lease_type, leases};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use serde_json::{Value, json};

use crate::bench::{Bench, Management};
use crate::ids;
use crate::population::{fleet, fleet_at_rest};
use crate::recovery::at;
use crate::replacing::{check_replaced, replace, scale, written};

const ROLLBACK: [&str; 2] = ["rollback", "--yes"];
const DELETE_OLD: [&str; 3] = ["replace", "--delete-old", "--yes"];

/// The same command continues a replacement of some Clusters; one that chooses others does not.
pub(crate) async fn of_some_clusters(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let choosing =
        |cluster: &'static str| [&replace(&namespace)[..], &["--cluster", cluster]].concat();
    bench.kill_at(&choosing("plain"), at("POST", Side::Target, 9)).await;
    check_refused(&bench.run(&choosing("managed")).await);
    for _ in ["continued", "found at rest"] {
        check_replaced(&bench.run(&choosing("pla*")).await);
        assert_eq!(clusters(&bench, &bench.source, &namespace).await, ["managed", "plain"]);
        assert_eq!(clusters(&bench, &bench.target, &namespace).await, ["plain"]);
    }
    check_refused(&bench.run(&replace(&namespace)).await);
    bench.run(&DELETE_OLD).await.expect_success("the deletion");
    assert_eq!(clusters(&bench, &bench.source, &namespace).await, ["managed"]);
    bench.run(&["move", "-n", &namespace, "--yes"]).await.expect_success("the move of the rest");
}

fn check_refused(outcome: &Outcome) {
    assert_eq!(outcome.code, Some(3), "{outcome}");
    // Shortly after a kill its Lease still counts.
    assert!(outcome.says("Interrupted") || outcome.says("Locked"), "{outcome}");
}

/// Two old clusters are replaced by one: each goes its own way afterwards. Before the second one a
/// command about the first has died, without a change.
pub(crate) async fn of_two_sources(bench: Arc<Bench>) {
    let another = bench.another_source().await;
    let first = bench.populate(fleet_at_rest).await;
    let before = written(&bench.dump(&bench.source, &first).await);
    check_replaced(&bench.run(&replace(&first)).await);
    let second = format!("{first}-second");
    let (population, there) = (fleet(&second), &another.management);
    let created = population.create(&there.client, &there.kinds).await;
    created.unwrap_or_else(|error| panic!("{error}"));
    leave_held(&bench.target).await;
    check_replaced(&bench.run_from(there, &replace(&second)).await);

    let status = bench.run(&["status", "-o", "json"]).await.expect_success("status").json();
    assert_eq!(status["clusters"][1]["resting"], json!([status["clusters"][0]["run"]["id"]]));
    assert_eq!(status["clusters"][1]["leftovers"], json!([]), "{status:#}");
    bench.run(&ROLLBACK).await.expect_success("the rollback of the first");
    assert_eq!(written(&bench.dump(&bench.source, &first).await), before);
    assert_eq!(ids(&bench.dump(&bench.target, &first).await), Vec::<String>::new());
    bench.run_from(there, &DELETE_OLD).await.expect_success("the deletion of the second");
    assert_eq!(ids(&bench.dump(there, &second).await), Vec::<String>::new());
    assert_eq!(clusters(&bench, &bench.target, &second).await, ["managed", "plain"]);
    let status = bench.run(&["status", "-o", "json"]).await.expect_success("status").json();
    assert_eq!(status["clusters"][1]["run"], Value::Null, "{status:#}");
    bench.run(&["move", "-n", &first, "--yes"]).await.expect_success("a move of the first");
}

/// Leaves the Lease of our runs as a process does that dies.
async fn leave_held(side: &Management) {
    let [lease] = &leases(&side.client).await[..] else { panic!("there is one Lease") };
    let spec = json!({"holderIdentity": "a process that died", "leaseDurationSeconds": 5,
        "renewTime": "2026-01-01T00:00:00.000000Z"});
    let (place, change) = ((lease.namespace(), lease.name()), json!({"spec": spec}));
    let (patch, options) = ((PatchKind::Merge, &change), WriteOptions::default());
    side.client.patch(&lease_type(), place, patch, &options).await.expect("the patch");
}

/// The resume of a copy leaves a machine that is killed then, and arrives while a rollback removes
/// the copies: their controllers would work on them.
pub(crate) async fn with_a_late_resume(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet).await;
    let before = written(&bench.dump(&bench.source, &namespace).await);
    let rule = Rule::when(wakes, Fault::HoldBefore).times(1);
    let late = bench.kill_before(&replace(&namespace), rule).await;
    let rollback = [&ROLLBACK[..], &["--force-unlock"]].concat();
    let mut running = bench.start_until(&rollback, freeing()).await;
    let name = late.path.rsplit('/').next().expect("a path has parts");
    let kind = bench.target.kinds.of("cluster.x-k8s.io/v1beta2", "Cluster");
    let (place, patch) = ((Some(namespace.as_str()), name), (PatchKind::Merge, &late.body));
    let late = bench.target.client.patch(&kind, place, patch, &WriteOptions::default()).await;
    assert!(late.expect_err("the resume of a dead run").is_conflict());
    bench.release();
    running.end().await.expect_success("the rollback");
    assert_eq!(written(&bench.dump(&bench.source, &namespace).await), before);
    assert_eq!(ids(&bench.dump(&bench.target, &namespace).await), Vec::<String>::new());
}

/// Without records the marks and the list of the copies tell as much, and the target is compared.
pub(crate) async fn without_records(bench: Arc<Bench>) {
    let namespace = bench.populate(fleet_at_rest).await;
    let before = written(&bench.dump(&bench.source, &namespace).await);
    check_replaced(&bench.run(&replace(&namespace)).await);
    bench.lose_records().await;
    let nothing = bench.run(&ROLLBACK).await;
    assert_eq!(nothing.code, Some(4), "{nothing}");
    scale(&bench, &namespace, 3).await;
    let from_marks = ["rollback", "--yes", "--from-marks"];
    let refused = bench.run(&from_marks).await;
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.says("MachineDeployment") && refused.says("spec.replicas"), "{refused}");
    scale(&bench, &namespace, 1).await;
    bench.lose_records().await;
    bench.run(&from_marks).await.expect_success("the rollback by marks");
    assert_eq!(written(&bench.dump(&bench.source, &namespace).await), before);
    assert_eq!(ids(&bench.dump(&bench.target, &namespace).await), Vec::<String>::new());
}

/// The patch that lets the controllers of a Cluster work; one that had an explicit `false` gets its
/// managers back in a second one.
fn wakes(call: &Call) -> bool {
    let paused = call.body["spec"].get("paused");
    call.side == Side::Target
        && call.method == "PATCH"
        && call.path.contains("/clusters/")
        && paused.is_some_and(|paused| *paused != true)
}

/// The first patch that takes the finalizers off a copy.
fn freeing() -> Rule {
    let applies = |call: &Call| {
        let annotations = &call.body["metadata"]["annotations"];
        call.side == Side::Target
            && call.method == "PATCH"
            && annotations.get("clusterctl.cluster.x-k8s.io/delete-for-move").is_some()
    };
    Rule::when(applies, Fault::HoldBefore).times(1)
}

async fn clusters(bench: &Bench, side: &Management, namespace: &str) -> Vec<String> {
    let found = bench.dump(side, namespace).await;
    let name = |object: &Object| object.name().to_owned();
    let mut names: Vec<String> = found.iter().filter(|o| is_cluster(o)).map(name).collect();
    names.sort();
    names
}
