//! `status -w`, and what earlier runs have left.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::program::Running;
use kubectl_pivot_tests::proxied_pair::{ProxiedPair, cluster_type};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{Scenario, exit, while_creating, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("a_watch_shows_changes_and_ends_with_the_run", watch)
        .thorough("ctrl_c_ends_a_watch", ctrl_c)
        .thorough("marks_without_a_record_are_reported", leftovers)
}

/// Starts watching while a move is kept, and waits until it looks for the second time.
async fn start(scenario: &Scenario) -> Running {
    let looks = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&looks);
    let note = move |call: &Call| {
        if call.side == Side::Source && call.method == "GET" && call.is_about("secrets") {
            seen.fetch_add(1, Ordering::Relaxed);
        }
        false
    };
    scenario.proxied_pair.traffic().rule(Rule::when(note, Fault::HoldBefore));
    let mut args = scenario.proxied_pair.args("status");
    args.extend(["--watch", "-o", "json"].map(str::to_owned));
    let watching = scenario.proxied_pair.program().start(args);
    while looks.load(Ordering::Relaxed) < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    watching
}

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_json::Deserializer::from_str(text).into_iter();
    documents.map(|document| document.expect("JSON")).collect()
}

async fn watch(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let rule = while_creating(Side::Target, 8, Fault::HoldBefore);
        let program = scenario.proxied_pair.program();
        let mut moving = scenario
            .start_until(&program, scenario.proxied_pair.move_args(&scenario.tag), rule)
            .await;
        let mut watching = start(&scenario).await;
        scenario.proxied_pair.traffic().release();
        moving.end().await.expect_success("the move");
        let watched = watching.end().await.expect_success("the watch");
        let shown = documents(&watched.stdout);
        let (first, last) = (&shown[0], &shown[shown.len() - 1]);
        assert_eq!(first["clusters"][0]["run"]["phase"], "preparing", "{watched}");
        assert_eq!(last["clusters"][0].get("run"), None, "{watched}");
        assert!(shown.windows(2).all(|pair| pair[0] != pair[1]), "{watched}");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn ctrl_c(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let rule = while_creating(Side::Target, 8, Fault::HoldBefore);
        let program = scenario.proxied_pair.program();
        let mut moving = scenario
            .start_until(&program, scenario.proxied_pair.move_args(&scenario.tag), rule)
            .await;
        let mut watching = start(&scenario).await;
        watching.interrupt();
        let watched = watching.end().await;
        assert_eq!(watched.code, Some(exit::INTERRUPTED), "{watched}");
        scenario.proxied_pair.traffic().release();
        moving.end().await.expect_success("the move");
    })
    .await;
}

async fn leftovers(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let source = scenario.proxied_pair.pair().source.client();
        let mark = json!({"metadata": {"annotations": {"kubectl-pivot.io/paused-by": "0123abcd"}}});
        let place = (Some(scenario.tag.as_str()), "plain");
        let options = WriteOptions::manager("kubectl-edit");
        let marked =
            source.patch(&cluster_type(), place, (PatchKind::Merge, &mark), &options).await;
        marked.expect("Clusters can be changed");
        let args = |further: &[&str]| scenario.args(Side::Source, "status", further);
        let status = scenario.run(args(&["-o", "json"])).await.expect_success("status").json();
        let left = status["clusters"][0]["leftovers"].as_array().cloned().unwrap_or_default();
        let left: Vec<Value> =
            left.into_iter().filter(|mark| mark["namespace"] == scenario.tag.as_str()).collect();
        let wanted = [json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "namespace": scenario.tag, "name": "plain", "mark": "kubectl-pivot.io/paused-by",
            "run": "0123abcd"})];
        assert_eq!(left, wanted, "{status:#}");
        let text = scenario.run(args(&[])).await.expect_success("status");
        assert!(text.says("of the run 0123abcd"), "{text}");
    })
    .await;
}
