//! Around the commit: what a killed run has handed over, and the list by which it knows its copies.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::population::shapes::CORE;
use kubectl_pivot_tests::proxied_pair::{Ends, ProxiedPair, cluster_type, lists_of_copies};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::{Scenario, exit, while_deleting, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("an_edit_while_copies_are_handed_over_puts_everything_back", edited_in_the_source)
        .case("a_deletion_while_copies_are_handed_over_puts_everything_back", deleted_in_the_source)
        .case("a_copy_that_was_resumed_is_paused_before_it_is_removed", copy_resumed)
        .case("a_list_of_copies_that_is_gone_is_done_without", list_gone)
        .thorough("a_copy_that_is_edited_after_the_commit_stays_edited", copy_edited)
        .case("a_copy_that_is_gone_stops_the_deletions", copy_gone)
}

/// Keeps the `skip + 1`st hand-over of a copy.
pub(super) fn while_handing_over(skip: usize) -> Rule {
    let is_hand_over = |call: &Call| {
        call.method == "PATCH"
            && call.side == Side::Target
            && !call.body["metadata"]["managedFields"].is_null()
    };
    Rule::when(is_hand_over, Fault::HoldAfter).skip(skip).times(1)
}

fn machines() -> ResourceType {
    ResourceType::new(CORE, "Machine", "machines", true)
}

async fn worker(client: &Client, scenario: &Scenario) -> Option<Object> {
    let found = client.get(&machines(), Some(&scenario.tag), "plain-worker").await;
    found.expect("Machines can be read")
}

/// Writes a label as a person does.
async fn label_worker(client: &Client, scenario: &Scenario) {
    let patch = json!({"metadata": {"labels": {"edited": "by-hand"}}});
    let place = (Some(&*scenario.tag), "plain-worker");
    let options = WriteOptions::manager("kubectl-label");
    let labelled = client.patch(&machines(), place, (PatchKind::Merge, &patch), &options).await;
    labelled.expect("Machines can be changed");
}

/// Deletes the worker as its controllers do in the end.
async fn delete_worker(client: &Client, scenario: &Scenario) {
    let place = (Some(&*scenario.tag), "plain-worker");
    let free = json!({"metadata": {"finalizers": null}});
    let options = WriteOptions::manager("kubectl-edit");
    let freed = client.patch(&machines(), place, (PatchKind::Merge, &free), &options).await;
    let uid = freed.expect("Machines can be changed").uid().to_owned();
    client.delete(&machines(), place.0, place.1, &uid).await.expect("can be deleted");
}

fn is_labelled(object: Option<Object>) -> bool {
    object.is_some_and(|object| object.label("edited").is_some())
}

/// Days go by between the kill and the resume, and somebody works with the source.
async fn edited_in_the_source(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_handing_over(9)).await;
        let pair = scenario.proxied_pair.pair();
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        label_worker(pair.source.client(), &scenario).await;
        let resumed = scenario.run("resume", &["--force-unlock"]).await;
        assert_eq!(resumed.code, Some(exit::UNDONE), "{resumed}");
        assert!(resumed.says("plain-worker") && resumed.says("differs"), "{resumed}");
        assert!(is_labelled(worker(pair.source.client(), &scenario).await), "{resumed}");
        let after = scenario.proxied_pair.ends(&scenario.tag).await;
        assert_eq!(after.target.payload(), Vec::<&str>::new(), "{resumed}");
        let names = |ends: &Ends| ends.source.names().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(&after), names(&before), "{resumed}");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// The copy of an object that somebody has deleted would be all that is left of it, and active
/// again.
async fn deleted_in_the_source(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_handing_over(9)).await;
        let source = scenario.proxied_pair.pair().source.client();
        delete_worker(source, &scenario).await;
        let mut args = scenario.proxied_pair.args("resume");
        args.retain(|arg| arg != "--quiet");
        args.push("--force-unlock".to_owned());
        let resumed = scenario.proxied_pair.program().run(args).await;
        assert_eq!(resumed.code, Some(exit::UNDONE), "{resumed}");
        let says = ["plain-worker was copied, but is now gone", "stays in the target"];
        assert!(says.iter().all(|text| resumed.says(text)), "{resumed}");
        let after = scenario.proxied_pair.ends(&scenario.tag).await;
        // The garbage collector may take what is left, since its owners are gone.
        let of_others = |name: &&&str| !name.contains("plain-worker");
        let left = after.target.payload();
        assert_eq!(left.iter().filter(of_others).count(), 0, "{left:?}\n{resumed}");
        // It stays paused: its real machine may be on its way to deletion.
        let marks = scenario.proxied_pair.leftovers(&scenario.tag).await;
        let of_others = |mark: &&String| !mark.contains("plain-worker");
        assert_eq!(marks.iter().find(of_others), None, "{marks:?}\n{resumed}");
    })
    .await;
}

/// The controllers of the target would replace Machines that go while their Cluster is active.
async fn copy_resumed(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        scenario.kill_at(while_handing_over(9)).await;
        let target = scenario.proxied_pair.pair().target.client();
        let patch = json!({"spec": {"paused": null}});
        let place = (Some(&*scenario.tag), "plain");
        let options = WriteOptions::manager("gitops");
        let kind = cluster_type();
        let resumed = target.patch(&kind, place, (PatchKind::Merge, &patch), &options).await;
        resumed.expect("Clusters can be changed");
        scenario.proxied_pair.traffic().begin_run();
        let mut args = scenario.proxied_pair.args("rollback");
        args.retain(|arg| arg != "--quiet");
        args.push("--force-unlock".to_owned());
        let rollback = scenario.proxied_pair.program().run(args).await.expect_success("rollback");
        assert!(rollback.says("plain in the target; it is paused again"), "{rollback}");
        let writes = scenario.proxied_pair.traffic().writes();
        let is_of_target = |write: &&kubectl_pivot_tests::proxy::Write| {
            write.call.side == Side::Target && !write.call.is_lease()
        };
        let first = writes.iter().find(is_of_target).expect("it writes to the target");
        assert_eq!(first.call.body["spec"]["paused"], true, "{first:?}");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

/// Without the list nothing tells copies that were handed over from objects of others.
async fn list_gone(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_handing_over(9)).await;
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let target = scenario.proxied_pair.pair().target.client();
        let lists = lists_of_copies(target).await;
        assert_eq!(lists.len(), 1, "{lists:?}");
        let kind = ResourceType::core("ConfigMap", "configmaps");
        for list in lists {
            assert_eq!(list.value()["immutable"], Value::Bool(true), "{list:?}");
            let place = (list.namespace(), list.name());
            target.delete(&kind, place.0, place.1, list.uid()).await.expect("can be deleted");
            let left = target.get(&kind, place.0, place.1).await.expect("can be read");
            assert!(left.is_some(), "a deletion alone takes the list away");
            let free = json!({"metadata": {"finalizers": null}});
            let options = WriteOptions::manager("kubectl-edit");
            let freed = target.patch(&kind, place, (PatchKind::Merge, &free), &options).await;
            freed.expect("ConfigMaps can be changed");
        }
        let rollback = scenario.run("rollback", &["--force-unlock"]).await;
        assert_eq!(rollback.code, Some(exit::UNFINISHED), "{rollback}");
        assert!(rollback.says("list of copies") && rollback.says("pivot resume"), "{rollback}");
        assert_eq!(before, scenario.proxied_pair.ends(&scenario.tag).await, "{rollback}");
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// After the commit the target is the truth: its users may go on.
async fn copy_edited(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_deleting(0, Fault::HoldBefore)).await;
        let target = scenario.proxied_pair.pair().target.client();
        label_worker(target, &scenario).await;
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        assert!(is_labelled(worker(target, &scenario).await), "the edit is lost");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// An object that somebody deletes from the target is not deleted from the source as well.
async fn copy_gone(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_deleting(0, Fault::HoldBefore)).await;
        let target = scenario.proxied_pair.pair().target.client();
        delete_worker(target, &scenario).await;
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let resumed = scenario.run("resume", &["--force-unlock"]).await;
        assert_eq!(resumed.code, Some(exit::UNFINISHED), "{resumed}");
        assert!(resumed.says("plain-worker") && resumed.says("missing"), "{resumed}");
        assert_eq!(
            before.source,
            scenario.proxied_pair.ends(&scenario.tag).await.source,
            "{resumed}"
        );
    })
    .await;
}
