//! Writes that arrive a minute late, and a controller that creates a Machine right after the pause;
//! from near by and from far away.

use std::time::Duration;

use capi::ResourceType;
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::population::shapes::CORE;
use kubectl_pivot_tests::proxied_pair::cluster_type;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::{FaultBench, Shared, UNDONE, check_moved, check_nothing_left, fresh, move_args};

/// Longer than the program waits for an answer, and than its Leases last.
const LATE: Duration = Duration::from_secs(60);
/// Time until the last of them has arrived.
const ALL_ARRIVED: Duration = Duration::from_secs(65);
/// From one continent to another.
const FAR_AWAY: Duration = Duration::from_millis(50);
/// A controller that has read the Cluster before its pause comes so much later.
const AFTER_THE_PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    suite
        .thorough("a_write_of_each_phase_arrives_a_minute_late", |fault_bench| {
            a_minute_late(fault_bench, Duration::ZERO)
        })
        .thorough("a_write_of_each_phase_arrives_a_minute_late_far_away", |fault_bench| {
            a_minute_late(fault_bench, FAR_AWAY)
        })
        .thorough("a_machine_that_is_created_after_the_pause_is_on_one_side", |fault_bench| {
            created_after_pause(fault_bench, Duration::ZERO)
        })
        .thorough(
            "a_machine_that_is_created_after_the_pause_is_on_one_side_far_away",
            |fault_bench| created_after_pause(fault_bench, FAR_AWAY),
        )
}

/// The first pause, copy, hand-over and deletion are delivered when everything is over.
async fn a_minute_late(fault_bench: Shared, latency: Duration) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    for (method, plural, side) in [
        ("PATCH", "clusters", Side::Source),
        ("POST", "machines", Side::Target),
        ("PATCH", "machines", Side::Target),
        ("DELETE", "machines", Side::Source),
    ] {
        let is_it = move |call: &Call| {
            call.is_write() && call.method == method && call.side == side && call.is_about(plural)
        };
        proxied_pair.traffic().rule(Rule::when(is_it, Fault::Delay(LATE)).times(1));
    }
    proxied_pair.traffic().set_latency(latency);
    let moved = proxied_pair.program().run(move_args(proxied_pair, &tag)).await;
    proxied_pair.traffic().set_latency(Duration::ZERO);
    moved.expect_success("the move");
    check_moved(&fault_bench, &tag).await;
    tokio::time::sleep(ALL_ARRIVED).await;
    check_moved(&fault_bench, &tag).await;
    assert_eq!(proxied_pair.traffic().timeline().violations(), Vec::<String>::new());
    proxied_pair.clean_up(&tag).await;
}

/// The Machine moves, or the move is undone; it is never lost, and never on both sides.
async fn created_after_pause(fault_bench: Shared, latency: Duration) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let client = proxied_pair.pair().source.client().clone();
    let creating = tokio::spawn(create_after_pause(client, tag.clone()));
    proxied_pair.traffic().set_latency(latency);
    let moved = proxied_pair.program().run(move_args(proxied_pair, &tag)).await;
    proxied_pair.traffic().set_latency(Duration::ZERO);
    let created = creating.await.expect("the neighbour does not panic");
    assert!(created, "the Clusters were paused for less than {AFTER_THE_PAUSE:?}: {moved}");
    let late = |client: Client| {
        let tag = tag.clone();
        async move { client.get(&machines(), Some(&tag), NAME).await.expect("can be read") }
    };
    let source = late(proxied_pair.pair().source.client().clone()).await;
    let target = late(proxied_pair.pair().target.client().clone()).await;
    match moved.code {
        Some(0) => assert!(source.is_none() && target.is_some(), "{source:?} {target:?} {moved}"),
        Some(UNDONE) => assert!(source.is_some() && target.is_none(), "{moved}"),
        _ => panic!("{moved}"),
    }
    check_nothing_left(proxied_pair, &tag).await;
    proxied_pair.clean_up(&tag).await;
}

const NAME: &str = "after-the-pause";

/// A controller that works on what it has read before. Returns whether it still could.
async fn create_after_pause(client: Client, tag: String) -> bool {
    let worker = client.get(&machines(), Some(&tag), "plain-worker").await.expect("can be read");
    let worker = worker.expect("is there");
    loop {
        let now = client.get(&cluster_type(), Some(&tag), "plain").await.expect("can be read");
        if now.expect("is there until it is paused").value()["spec"]["paused"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(AFTER_THE_PAUSE).await;
    let mut late = worker.clone();
    late.value_mut()["metadata"] = json!({"name": NAME, "namespace": tag,
        "labels": worker.value()["metadata"]["labels"],
        "ownerReferences": worker.value()["metadata"]["ownerReferences"]});
    late.value_mut()["spec"]["providerID"] = "docker:////after-the-pause".into();
    let options = WriteOptions::manager("manager");
    if client.create(&machines(), &late, &options).await.is_err() {
        return false;
    }
    let status = json!({"status": worker.value()["status"]});
    let place = (Some(&*tag), NAME);
    // The move may have taken it along already.
    let _ = client.patch(&machines(), place, (PatchKind::Merge, &status), &options.status()).await;
    true
}

fn machines() -> ResourceType {
    ResourceType::new(CORE, "Machine", "machines", true)
}
