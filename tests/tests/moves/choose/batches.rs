//! Moves in batches: each is over before the next begins, what they share goes last, and a run that
//! is killed or stopped between two of them leaves every Cluster on one side.
//!
//! With batches of one Cluster the order is `blue`, `green`, `red`; `blue` and `red` have a class
//! in common.

use std::sync::Arc;

use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::population::{class, resource_set};
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{Scenario, exit, with_population, with_three};

/// Exit code of a batch that was put back.
const UNDONE: i32 = 5;

const BATCHES: [&str; 2] = ["--batch-size", "1"];

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("batches_move_everything_and_what_they_share_goes_with_the_last", all)
        .case("a_run_that_is_killed_in_a_later_batch_is_resumed_to_its_end", resumed)
        .thorough("a_run_that_is_killed_between_two_batches_is_resumed_or_ended", between)
        .thorough(
            "a_rollback_undoes_the_batch_in_flight_and_names_those_that_have_moved",
            rolled_back,
        )
        .thorough("a_class_that_later_batches_do_not_need_goes_with_the_last_that_does", early)
        .thorough("a_class_that_changes_between_two_batches_stops_the_next", edited)
        .thorough("a_batch_that_fails_is_put_back_and_the_rest_stays", failed)
        .thorough("a_request_to_stop_ends_the_run_after_the_batch_that_is_committed", stopped)
        .thorough("a_run_ends_after_the_batches_that_its_user_wants", stopped_after)
        .thorough("a_cluster_that_is_not_available_ends_the_run_before_the_next", unavailable)
        .thorough("clusters_of_one_resource_set_are_one_batch", one_unit)
}

/// Keeps the first deletion of a Cluster in the source: its batch is past its commit.
fn while_deleting(cluster: &'static str) -> Rule {
    let is_it = move |call: &Call| {
        call.method == "DELETE"
            && call.side == Side::Source
            && call.is_about("clusters")
            && call.path.ends_with(&format!("/{cluster}"))
    };
    Rule::when(is_it, Fault::HoldBefore).times(1)
}

/// Side of each Cluster, as a report or a status says.
fn sides(document: &Value) -> Vec<(String, String)> {
    let text = |state: &Value, field: &str| state[field].as_str().unwrap_or("?").to_owned();
    let states = document["clusterStates"].as_array().cloned().unwrap_or_default();
    states.iter().map(|state| (text(state, "name"), text(state, "side"))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// State of each batch.
fn batches(document: &Value) -> Vec<String> {
    let all = document.as_array().cloned().unwrap_or_default();
    all.iter().map(|batch| batch["state"].as_str().unwrap_or("?").to_owned()).collect()
}

async fn all(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let planned = scenario.run_move(&["--batch-size", "2", "--dry-run", "-o", "json"]).await;
        let planned = planned.expect_success("a plan").json();
        assert_eq!(batches(&planned["batches"]), ["toCome", "toCome"], "{planned:#}");

        let moved = scenario.run_move(&[&BATCHES[..], &["-o", "json"]].concat()).await;
        let report = moved.expect_success("a move in batches").json();
        scenario.check_nothing_left().await;
        let end = scenario.ends().await;
        assert!(end.source.payload().is_empty(), "{:?}", end.source.payload());
        assert_eq!(before.source.payload(), end.target.payload());
        assert_eq!(batches(&report["batches"]), ["moved"; 3], "{report:#}");
        let everywhere = [("blue", "target"), ("green", "target"), ("red", "target")];
        assert_eq!(sides(&report), pairs(&everywhere));
        let whole: f64 = seconds(&report["phases"], "seconds").iter().sum();
        for paused in seconds(&report["clusterStates"], "pausedSeconds") {
            assert!(paused > 0.0 && paused < whole / 2.0, "{paused} of {whole}: {report:#}");
        }
        assert_eq!(report["clusters"], 3);
        assert_eq!(report["kept"], json!([]), "{report:#}");
        assert_eq!(report["reused"], json!([]), "the run has created it: {report:#}");
        let objects: u64 = report["countsByKind"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, n)| n.as_u64())
            .sum();
        assert_eq!(report["moved"].as_array().map_or(0, |moved| moved.len() as u64), objects);
    })
    .await;
}

fn seconds(list: &Value, field: &str) -> Vec<f64> {
    let list = list.as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|one| one[field].as_f64()).collect()
}

async fn resumed(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let untouched = scenario.objects_of(&["red"]).await;
        scenario.kill_at(&BATCHES, while_deleting("green")).await;
        scenario.check_untouched(&["red"], &untouched).await;
        let status = scenario.run("status", &["-o", "json"]).await.expect_success("status").json();
        let run = &status["clusters"][0]["run"];
        assert_eq!(batches(&run["batches"]), ["moved", "inFlight", "toCome"], "{status:#}");
        let now = [("blue", "target"), ("green", "target"), ("red", "source")];
        assert_eq!(sides(&status), pairs(&now), "{status:#}");
        let resumed = scenario.run("resume", &["--force-unlock", "-o", "json"]).await;
        let report = resumed.expect_success("resume").json();
        assert_eq!(batches(&report["batches"]), ["moved"; 3], "{report:#}");
        scenario.check_nothing_left().await;
        let end = scenario.ends().await;
        assert!(end.source.payload().is_empty(), "{:?}", end.source.payload());
        assert_eq!(before.source.payload(), end.target.payload());
    })
    .await;
}

/// A first batch to look at, and then the rest.
async fn stopped_after(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let untouched = scenario.objects_of(&["green", "red"]).await;
        let flags = [&BATCHES[..], &["--stop-after", "1", "-o", "json"]].concat();
        let report = scenario.run_move(&flags).await.expect_success("one batch").json();
        assert_eq!(report["outcome"], "partlyMoved", "{report:#}");
        assert!(report["error"].is_null(), "{report:#}");
        assert_eq!(batches(&report["batches"]), ["moved", "toCome", "toCome"], "{report:#}");
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &["green", "red"], &["blue"]).await;
        scenario.check_untouched(&["green", "red"], &untouched).await;
        scenario.run_move(&[]).await.expect_success("a move of the rest");
        let end = scenario.ends().await;
        assert!(end.source.payload().is_empty(), "{:?}", end.source.payload());
        assert_eq!(before.source.payload(), end.target.payload());
    })
    .await;
}

/// No controller reports anything here, so the first Cluster is never Available.
async fn unavailable(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let untouched = scenario.objects_of(&["green", "red"]).await;
        let flags = [&BATCHES[..], &["--wait-available", "2", "-o", "json"]].concat();
        let outcome = scenario.run_move(&flags).await;
        assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
        assert!(outcome.says("blue is not Available in the target"), "{outcome}");
        let report = outcome.json();
        assert_eq!(batches(&report["batches"]), ["moved", "toCome", "toCome"], "{report:#}");
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &["green", "red"], &["blue"]).await;
        scenario.check_untouched(&["green", "red"], &untouched).await;
        scenario.run_move(&[]).await.expect_success("a move of the rest");
    })
    .await;
}

/// Kept while the record of the next batch is in one cluster only: the source's is written first.
fn while_writing_the_next_batch() -> Rule {
    let is_it = |call: &Call| {
        let body = call.body.to_string();
        call.is_write()
            && call.is_lease()
            && call.side == Side::Target
            && body.contains("\\\"current\\\":1")
    };
    Rule::when(is_it, Fault::HoldBefore).times(1)
}

async fn between(proxied_pair: Arc<ProxiedPair>) {
    for command in ["resume", "rollback"] {
        with_three(Arc::clone(&proxied_pair), |scenario| async move {
            let before = scenario.ends().await;
            let untouched = scenario.objects_of(&["green", "red"]).await;
            scenario.kill_at(&BATCHES, while_writing_the_next_batch()).await;
            scenario.check_names("Cluster", &["green", "red"], &["blue"]).await;
            let status = scenario.run("status", &[]).await.expect_success("status");
            assert!(status.says("1 moved (1 Clusters), 2 to come (2 Clusters)"), "{status}");
            let ended = scenario.run(command, &["--force-unlock"]).await.expect_success(command);
            scenario.check_nothing_left().await;
            if command == "rollback" {
                assert!(ended.says("/blue") && ended.says("stay in the target"), "{ended}");
                scenario.check_untouched(&["green", "red"], &untouched).await;
                scenario.run_move(&[]).await.expect_success("a move of the rest");
            }
            let end = scenario.ends().await;
            assert!(end.source.payload().is_empty(), "{:?}", end.source.payload());
            assert_eq!(before.source.payload(), end.target.payload());
        })
        .await;
    }
}

async fn rolled_back(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.objects_of(&["red"]).await;
        let copying = |call: &Call| {
            call.is_write()
                && call.method == "POST"
                && call.side == Side::Target
                && call.path.ends_with("/clusters")
                && call.body["metadata"]["name"] == "green"
        };
        scenario.kill_at(&BATCHES, Rule::when(copying, Fault::HoldAfter).times(1)).await;
        let ended = scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        assert!(ended.says("/blue") && ended.says("kubectl pivot move --cluster"), "{ended}");
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &["green", "red"], &["blue"]).await;
        scenario
            .check_names(
                "ClusterClass",
                &["common-class", "green-class", "unused-class"],
                &["common-class"],
            )
            .await;
        scenario.check_untouched(&["red"], &before).await;
        scenario.run_move(&BATCHES).await.expect_success("a move of the rest");
        scenario.check_nothing_left().await;
        scenario
            .check_names("ClusterClass", &[], &["common-class", "green-class", "unused-class"])
            .await;
    })
    .await;
}

/// Changes a template of the class of `blue` and `red` in one cluster.
async fn edit(scenario: &Scenario, side: Side) {
    let plane = match side {
        Side::Source => &scenario.proxied_pair.pair().source,
        Side::Target => &scenario.proxied_pair.pair().target,
    };
    let listed = plane.dump(&[&scenario.tag]).await;
    let class = listed
        .objects()
        .iter()
        .find(|object| object.kind() == "ClusterClass" && object.name() == "common-class");
    assert!(class.is_some(), "the class is in {side:?}");
    let kind =
        capi::ResourceType::new("cluster.x-k8s.io/v1beta2", "ClusterClass", "clusterclasses", true);
    let patch = json!({"metadata": {"annotations": {"team": "another"}}});
    let place = (Some(&*scenario.tag), "common-class");
    let options = WriteOptions::manager("kubectl-edit");
    let edited = plane.client().patch(&kind, place, (PatchKind::Merge, &patch), &options).await;
    edited.expect("classes can be edited");
}

async fn edited(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let untouched = scenario.objects_of(&["red"]).await;
        scenario.proxied_pair.traffic().begin_run();
        // Green has another class, so that nothing of its batch is about the one that changes.
        scenario.proxied_pair.traffic().rule(while_deleting("green"));
        let mut running = scenario.proxied_pair.program().start(scenario.move_args(&BATCHES));
        tokio::select! {
            outcome = running.end() => panic!("the move has ended before the edit: {outcome}"),
            () = scenario.proxied_pair.traffic().held() => {}
        }
        edit(&scenario, Side::Source).await;
        scenario.proxied_pair.traffic().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
        for text in
            ["common-class", "has changed in the source", "2 Clusters have moved", "batch 3 of 3"]
        {
            assert!(outcome.says(text), "`{text}` is not said: {outcome}");
        }
        scenario.check_nothing_left().await;
        scenario.check_untouched(&["red"], &untouched).await;
        scenario.check_names("Cluster", &["red"], &["blue", "green"]).await;
        edit(&scenario, Side::Target).await;
        scenario.run_move(&[]).await.expect_success("a move of the rest");
        scenario.check_nothing_left().await;
        scenario
            .check_names("ClusterClass", &[], &["common-class", "green-class", "unused-class"])
            .await;
    })
    .await;
}

async fn early(proxied_pair: Arc<ProxiedPair>) {
    with_population(proxied_pair, class::first_two_alike, |scenario| async move {
        let before = scenario.ends().await;
        scenario.proxied_pair.traffic().begin_run();
        scenario.proxied_pair.traffic().rule(while_deleting("red"));
        let mut running = scenario.proxied_pair.program().start(scenario.move_args(&BATCHES));
        tokio::select! {
            outcome = running.end() => panic!("the move has ended before the last batch: {outcome}"),
            () = scenario.proxied_pair.traffic().held() => {}
        }
        let [source, target] = scenario.names("ClusterClass").await;
        let name = "common-class".to_owned();
        assert!(!source.contains(&name) && target.contains(&name), "{source:?} {target:?}");
        scenario.proxied_pair.traffic().release();
        running.end().await.expect_success("a move in batches");
        scenario.check_nothing_left().await;
        let end = scenario.ends().await;
        assert!(end.source.payload().is_empty(), "{:?}", end.source.payload());
        assert_eq!(before.source.payload(), end.target.payload());
    })
    .await;
}

async fn failed(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.objects_of(&["red"]).await;
        let is_copy = |call: &Call| {
            call.is_write()
                && call.method == "POST"
                && call.side == Side::Target
                && call.path.ends_with("/clusters")
                && call.body["metadata"]["name"] == "green"
        };
        scenario.proxied_pair.traffic().begin_run();
        scenario.proxied_pair.traffic().rule(Rule::when(is_copy, Fault::status(403)));
        let args =
            scenario.move_args(&[&BATCHES[..], &["--preflight", "off", "-o", "json"]].concat());
        let outcome = scenario.proxied_pair.program().run(args).await;
        assert_eq!(outcome.code, Some(UNDONE), "{outcome}");
        let report = outcome.json();
        assert_eq!(report["outcome"], "partlyMoved", "{report:#}");
        assert_eq!(batches(&report["batches"]), ["moved", "rolledBack", "toCome"]);
        let now = [("blue", "target"), ("green", "source")];
        assert_eq!(sides(&report), pairs(&now), "{report:#}");
        assert_eq!(report["clusters"], 1, "{report:#}");
        scenario.check_nothing_left().await;
        scenario.check_untouched(&["red"], &before).await;
        scenario.check_names("Cluster", &["green", "red"], &["blue"]).await;
    })
    .await;
}

async fn stopped(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.objects_of(&["red"]).await;
        scenario.proxied_pair.traffic().begin_run();
        scenario.proxied_pair.traffic().rule(while_deleting("green"));
        let mut running = scenario.proxied_pair.program().start(scenario.move_args(&BATCHES));
        tokio::select! {
            outcome = running.end() => panic!("the move has ended before: {outcome}"),
            () = scenario.proxied_pair.traffic().held() => {}
        }
        running.interrupt();
        scenario.proxied_pair.traffic().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(130), "{outcome}");
        assert!(outcome.says("2 Clusters have moved"), "{outcome}");
        scenario.check_nothing_left().await;
        scenario.check_untouched(&["red"], &before).await;
        scenario.check_names("Cluster", &["red"], &["blue", "green"]).await;
    })
    .await;
}

async fn one_unit(proxied_pair: Arc<ProxiedPair>) {
    with_population(proxied_pair, resource_set::population, |scenario| async move {
        let planned =
            scenario.run_move(&[&BATCHES[..], &["--dry-run", "-o", "json"]].concat()).await;
        assert_ne!(planned.code, Some(exit::REFUSED), "{planned}");
        let report = planned.expect_success("a plan").json();
        assert!(report.get("batches").is_none(), "{report:#}");
        let findings = report["findings"].to_string();
        assert!(findings.contains("UnitExceedsBatch") && findings.contains("addons"), "{report:#}");
        scenario.run_move(&BATCHES).await.expect_success("a move in one batch");
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &[], &["addon-a", "addon-b"]).await;
    })
    .await;
}
