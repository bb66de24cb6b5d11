//! Moves of some Clusters that are killed: the record knows which, whatever happens to names and
//! labels since.

use std::sync::Arc;

use capi::Object;
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::arena::{Arena, cluster_type};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::{Story, with_three};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
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
async fn create_rose(story: &Story) {
    let rose = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
        "metadata": {"name": "rose", "namespace": story.tag, "labels": {"tier": "dev"}},
        "spec": {"clusterNetwork": {"pods": {"cidrBlocks": ["192.168.0.0/16"]}}}});
    let client = story.arena.pair().source.client();
    let options = WriteOptions::manager("kubectl-create");
    let created = client.create(&cluster_type(), &Object::new(rose), &options).await;
    created.expect("Clusters can be created");
}

async fn label(story: &Story, cluster: &str, tier: &str) {
    let patch = json!({"metadata": {"labels": {"tier": tier}}});
    let place = (Some(&*story.tag), cluster);
    let options = WriteOptions::manager("kubectl-label");
    let client = story.arena.pair().source.client();
    let labelled = client.patch(&cluster_type(), place, (PatchKind::Merge, &patch), &options).await;
    labelled.expect("Clusters can be labelled");
}

async fn resumed(arena: Arc<Arena>) {
    with_three(arena, |story| async move {
        let flags = ["--cluster", "r*", "--cluster", "blue"];
        story.kill_at(&flags, while_deleting_a_class()).await;
        story.check_names("Cluster", &["green"], &["red", "blue"]).await;
        create_rose(&story).await;
        let others = story.objects_of(&["green", "rose"]).await;
        let status = story.run("status", &["-o", "json"]).await.expect_success("status").json();
        let chosen = &status["clusters"][0]["run"]["chosen"];
        assert_eq!(*chosen, json!([format!("{}/blue", story.tag), format!("{}/red", story.tag)]));
        story.arena.tape().begin_run();
        story.run("resume", &["--force-unlock"]).await.expect_success("resume");
        story.check_untouched(&["green", "rose"], &others).await;
        story.check_nothing_left().await;
        story.check_names("Cluster", &["green", "rose"], &["red", "blue"]).await;
        story
            .check_names("ClusterClass", &["green-class", "unused-class"], &["common-class"])
            .await;
    })
    .await;
}

async fn resumed_early(arena: Arc<Arena>) {
    with_three(arena, |story| async move {
        let flags = ["--selector", "tier=dev", "--copy-shared"];
        story.kill_at(&flags, while_copying(6)).await;
        // Another one enters the selection, and one is created in it.
        label(&story, "blue", "dev").await;
        create_rose(&story).await;
        let others = story.objects_of(&["blue", "rose"]).await;
        story.arena.tape().begin_run();
        story.run("resume", &["--force-unlock"]).await.expect_success("resume");
        story.check_untouched(&["blue", "rose"], &others).await;
        story.check_nothing_left().await;
        story.check_names("Cluster", &["blue", "rose"], &["red", "green"]).await;
    })
    .await;
}

async fn rolled_back(arena: Arc<Arena>) {
    with_three(arena, |story| async move {
        let before = story.ends().await;
        let flags = ["--selector", "tier=prod", "--copy-shared"];
        let others = story.objects_of(&["red", "green"]).await;
        story.kill_at(&flags, while_copying(6)).await;
        story.check_untouched(&["red", "green"], &others).await;
        story.arena.tape().begin_run();
        story.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        story.check_untouched(&["red", "green"], &others).await;
        let after = story.ends().await;
        before.check_put_back(&after).unwrap_or_else(|text| panic!("{text}"));
        story.check_nothing_left().await;
    })
    .await;
}
