//! Moves of some Clusters that are killed: the record knows which, whatever happens to names and
//! labels since.

use std::sync::Arc;

use capi::Object;
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::proxied_pair::{ProxiedPair, cluster_type};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::{Scenario, with_three};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_resumed_move_deletes_the_class_of_clusters_that_are_gone_already", resumed)
        .thorough("a_move_that_is_resumed_before_the_commit_takes_what_was_chosen", resumed_early)
        .thorough("a_rollback_writes_to_no_cluster_that_was_not_chosen", rolled_back)
}

/// Keeps the deletion of the first ClusterClass of the source.
fn while_deleting_a_class() -> Rule {
    let is_it = |call: &Call| {
        call.method == "DELETE" && call.side == Side::Source && call.is_about("clusterclasses")
    };
    Rule::when(is_it, Fault::HoldBefore).times(1)
}

fn while_copying(skip: usize) -> Rule {
    let is_copy = |call: &Call| {
        call.is_write() && call.method == "POST" && call.side == Side::Target && !call.is_lease()
    };
    Rule::when(is_copy, Fault::HoldAfter).skip(skip).times(1)
}

/// Creates a Cluster in the source whose name the patterns of the tests match.
async fn create_rose(scenario: &Scenario) {
    let rose = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
        "metadata": {"name": "rose", "namespace": scenario.tag, "labels": {"tier": "dev"}},
        "spec": {"clusterNetwork": {"pods": {"cidrBlocks": ["192.168.0.0/16"]}}}});
    let client = scenario.proxied_pair.pair().source.client();
    let options = WriteOptions::manager("kubectl-create");
    let created = client.create(&cluster_type(), &Object::new(rose), &options).await;
    created.expect("Clusters can be created");
}

async fn label(scenario: &Scenario, cluster: &str, tier: &str) {
    let patch = json!({"metadata": {"labels": {"tier": tier}}});
    let place = (Some(&*scenario.tag), cluster);
    let options = WriteOptions::manager("kubectl-label");
    let client = scenario.proxied_pair.pair().source.client();
    let labelled = client.patch(&cluster_type(), place, (PatchKind::Merge, &patch), &options).await;
    labelled.expect("Clusters can be labelled");
}

async fn resumed(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let flags = ["--cluster", "r*", "--cluster", "blue"];
        scenario.kill_at(&flags, while_deleting_a_class()).await;
        scenario.check_names("Cluster", &["green"], &["red", "blue"]).await;
        create_rose(&scenario).await;
        let others = scenario.objects_of(&["green", "rose"]).await;
        let status = scenario.run("status", &["-o", "json"]).await.expect_success("status").json();
        let chosen = &status["clusters"][0]["run"]["chosen"];
        assert_eq!(
            *chosen,
            json!([format!("{}/blue", scenario.tag), format!("{}/red", scenario.tag)])
        );
        scenario.proxied_pair.traffic().begin_run();
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        scenario.check_untouched(&["green", "rose"], &others).await;
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &["green", "rose"], &["red", "blue"]).await;
        scenario
            .check_names("ClusterClass", &["green-class", "unused-class"], &["common-class"])
            .await;
    })
    .await;
}

async fn resumed_early(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let flags = ["--selector", "tier=dev", "--copy-shared"];
        scenario.kill_at(&flags, while_copying(6)).await;
        // Another one enters the selection, and one is created in it.
        label(&scenario, "blue", "dev").await;
        create_rose(&scenario).await;
        let others = scenario.objects_of(&["blue", "rose"]).await;
        scenario.proxied_pair.traffic().begin_run();
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        scenario.check_untouched(&["blue", "rose"], &others).await;
        scenario.check_nothing_left().await;
        scenario.check_names("Cluster", &["blue", "rose"], &["red", "green"]).await;
    })
    .await;
}

async fn rolled_back(proxied_pair: Arc<ProxiedPair>) {
    with_three(proxied_pair, |scenario| async move {
        let before = scenario.ends().await;
        let flags = ["--selector", "tier=prod", "--copy-shared"];
        let others = scenario.objects_of(&["red", "green"]).await;
        scenario.kill_at(&flags, while_copying(6)).await;
        scenario.check_untouched(&["red", "green"], &others).await;
        scenario.proxied_pair.traffic().begin_run();
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        scenario.check_untouched(&["red", "green"], &others).await;
        let after = scenario.ends().await;
        before.check_put_back(&after).unwrap_or_else(|text| panic!("{text}"));
        scenario.check_nothing_left().await;
    })
    .await;
}
