//! A move whose other cluster is gone for good. The proxies of the suite live on, so the program is
//! told so.

use std::sync::Arc;

use kubectl_pivot_tests::proxied_pair::{ProxiedPair, leases, lists_of_copies};
use kubectl_pivot_tests::proxy::{Fault, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

use super::commit::while_handing_over;
use super::{Scenario, exit, while_copying, while_deleting, with_scenario};

const PAUSED: &str = "cluster.x-k8s.io/paused";

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_move_is_finished_without_its_source", finished_in_the_target)
        .case("a_move_is_rolled_back_without_its_target", rolled_back_in_the_source)
        .thorough("a_run_is_not_ended_in_one_cluster_that_does_not_hold_it", refused)
}

/// Runs a command with the kubeconfig of one cluster.
async fn run_in(
    scenario: &Scenario,
    side: Side,
    command: &[&str],
) -> kubectl_pivot_tests::program::Outcome {
    let kubeconfig = scenario.proxied_pair.kubeconfig(side);
    let flag = if side == Side::Source { "--kubeconfig" } else { "--to-kubeconfig" };
    let args = command.iter().copied().chain([flag, &kubeconfig, "--force-unlock"]);
    scenario.proxied_pair.program().run(args).await
}

async fn finished_in_the_target(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_handing_over(9)).await;
        let alive = run_in(&scenario, Side::Target, &["resume", "--source-is-gone"]).await;
        assert_eq!(alive.code, Some(exit::REFUSED), "{alive}");
        assert!(alive.says("accepts connections"), "{alive}");
        let copies = scenario.proxied_pair.ends(&scenario.tag).await.target.payload().len();
        let resume = ["resume", "--source-is-gone=sure", "-o", "json"];
        let resumed = run_in(&scenario, Side::Target, &resume).await.expect_success("resume");
        assert_eq!(resumed.json()["outcome"], "moved", "{resumed}");
        let target = scenario.proxied_pair.ends(&scenario.tag).await.target;
        assert_eq!(target.payload().len(), copies, "{resumed}");
        let paused = |name: &str| {
            let object = target.get(&format!("Cluster.cluster.x-k8s.io TAG/{name}"));
            object.map(|object| object["spec"]["paused"].clone())
        };
        assert_eq!(paused("plain"), Some(Value::Null), "{resumed}");
        assert_eq!(paused("resting"), Some(Value::Bool(true)), "its user has paused it: {resumed}");
        let is_held = |object: &Value| object["metadata"]["annotations"].get(PAUSED).is_some();
        let held = target.0.iter().filter(|(_, object)| is_held(object)).map(|(name, _)| name);
        assert_eq!(held.collect::<Vec<_>>(), ["Cluster.cluster.x-k8s.io TAG/held"], "{resumed}");
        let client = scenario.proxied_pair.pair().target.client();
        assert!(leases(client).await.is_empty() && lists_of_copies(client).await.is_empty());
        let left = scenario.proxied_pair.leftovers(&scenario.tag).await;
        let of_target = left.iter().filter(|left| left.starts_with("target"));
        assert_eq!(of_target.collect::<Vec<_>>(), Vec::<&String>::new(), "{resumed}");
    })
    .await;
}

async fn rolled_back_in_the_source(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        scenario.kill_at(while_copying(9, Fault::HoldAfter)).await;
        let rollback = ["rollback", "--target-is-gone=sure"];
        run_in(&scenario, Side::Source, &rollback).await.expect_success("rollback");
        let source = scenario.proxied_pair.ends(&scenario.tag).await.source;
        assert_eq!(source.names().collect::<Vec<_>>(), before.source.names().collect::<Vec<_>>());
        assert!(leases(scenario.proxied_pair.pair().source.client()).await.is_empty());
        // It was not gone after all.
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback of both");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn refused(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_copying(9, Fault::HoldAfter)).await;
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let early = run_in(&scenario, Side::Target, &["resume", "--source-is-gone=sure"]).await;
        assert_eq!(early.code, Some(exit::REFUSED), "{early}");
        assert!(early.says("its copies may not be complete"), "{early}");
        let turned = run_in(&scenario, Side::Source, &["rollback", "--target-is-gone"]).await;
        assert_eq!(turned.code, Some(exit::REFUSED), "{turned}");
        assert!(turned.says("accepts connections"), "{turned}");
        assert_eq!(before, scenario.proxied_pair.ends(&scenario.tag).await);
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        scenario.proxied_pair.clean_up(&scenario.tag).await;

        scenario.proxied_pair.populate(&scenario.tag).await;
        scenario.kill_at(while_deleting(0, Fault::HoldBefore)).await;
        let late = run_in(&scenario, Side::Source, &["rollback", "--target-is-gone=sure"]).await;
        assert_eq!(late.code, Some(exit::REFUSED), "{late}");
        assert!(late.says("may have been deleted") && late.says("restore"), "{late}");
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        scenario.check_nothing_left().await;
    })
    .await;
}
