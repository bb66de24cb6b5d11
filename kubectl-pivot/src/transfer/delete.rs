//! Deleting from the source what the target now holds, dependents before owners.
//!
//! Each object that has finalizers, or whose deletion a webhook or policy looks at, is marked for those
//! (`delete-for-move`, merged into its annotations). It is deleted if it is as it was when its copy was compared
//! with it (uid and resource version), and only then freed of its finalizers: controllers would put them back on
//! an object that is not being deleted. Proxies of Helm releases are freed before.
//!
//! Before each level the pauses of the source are looked at once more: an active controller would take
//! the deletion for its user's, and delete real machines.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::compare::{compare, is_finalizer};
use super::deletion_hooks::DeletionHooks;
use super::discover::{Territory, list_copied};
use super::error::PhaseError;
use super::hold::hold;
use super::marks::before_deletion;
use super::precondition::{patch_as_read, read_again, remove_finalizers};
use super::run::{Progress, Run};
use crate::capi::names::DELETE_FOR_MOVE_ANNOTATION;
use crate::capi::{
    Fate, Graph, Node, Object, ResourceType, is_cluster, is_helm_proxy, is_pausable, is_paused,
};
use crate::cluster::{ApiError, Client};

/// Pause between two tries at an object that may not be deleted now.
const INTERVAL: Duration = Duration::from_millis(500);

/// Attempts at a deletion that writes of others keep overtaking.
const ATTEMPTS: u32 = 10;

/// Deletes everything that moves, and waits until it is gone.
///
/// # Errors
/// When a request fails, an object has changed since it was compared, the source is active, or an
/// object does not go away.
pub async fn delete(run: &Run, territory: &Territory, graph: &Graph) -> Result<(), PhaseError> {
    let moved = |index: &usize| graph.nodes[*index].fate == Fate::Move;
    let progress = Progress::of(graph.copied().filter(moved).count()).carried_through();
    let hooks = &DeletionHooks::read(&run.source).await;
    for level in graph.levels.iter().rev() {
        let nodes: Vec<&Node> =
            level.iter().filter(|index| moved(index)).map(|index| &graph.nodes[*index]).collect();
        if nodes.is_empty() {
            continue;
        }
        hold(run, territory, graph).await?;
        run.each(nodes, &progress, |node| async move {
            delete_patiently(run, hooks, graph.resource(node), &node.object).await
        })
        .await?;
    }
    wait_until_gone(run, territory, graph).await
}

/// A webhook may refuse for a while: its controller is restarting, or waits for something to go first.
async fn delete_patiently(
    run: &Run,
    hooks: &DeletionHooks,
    resource: &ResourceType,
    object: &Object,
) -> Result<(), PhaseError> {
    let begun = Instant::now();
    loop {
        run.stop.check_lock()?;
        match delete_unchanged(&run.source, hooks, resource, object).await {
            Err(PhaseError::Api(error))
                if error.is_refused_by_admission()
                    && begun.elapsed() < run.options.delete_timeout =>
            {
                run.events.doing(format!("trying again: {error}: {}", error.cause));
                tokio::time::sleep(INTERVAL).await;
            }
            other => return other,
        }
    }
}

/// Deletes an object that still has the content that its copy was compared with. Its controllers may
/// write its status meanwhile.
async fn delete_unchanged(
    source: &Client,
    hooks: &DeletionHooks,
    resource: &ResourceType,
    object: &Object,
) -> Result<(), PhaseError> {
    let mut latest = None;
    for attempt in 1..=ATTEMPTS {
        match delete_as_read(source, hooks, resource, latest.as_ref().unwrap_or(object)).await {
            Err(error) if error.is_conflict() => {}
            other => return Ok(other?),
        }
        latest = read_again(source, resource, object).await?;
        match &latest {
            Some(now) => check_unchanged(object, now)?,
            None => return Ok(()),
        }
        tokio::time::sleep(source.pause(attempt)).await;
    }
    Err(PhaseError::SourceChanged { object: object.id() })
}

/// Checks that an object which has a new resource version may be deleted nevertheless.
///
/// Controllers add finalizers to what is paused, and those that a kind has go in any case. Proxies of
/// Helm releases are the exception: a finalizer that comes back is a controller at work.
fn check_unchanged(object: &Object, now: &Object) -> Result<(), PhaseError> {
    if is_pausable(now) && !is_paused(now) {
        return Err(PhaseError::SourceActive { object: object.id() });
    }
    let difference = compare(object, now);
    let mut changed =
        difference.lost.iter().filter(|path| !is_finalizer(path)).chain(
            difference.added.iter().filter(|path| is_helm_proxy(now) || !is_finalizer(path)),
        );
    match changed.next() {
        Some(_) => Err(PhaseError::SourceChanged { object: object.id() }),
        None => Ok(()),
    }
}

/// Deletes an object, if nobody has written to it since it was read.
async fn delete_as_read(
    source: &Client,
    hooks: &DeletionHooks,
    resource: &ResourceType,
    object: &Object,
) -> Result<(), ApiError> {
    if object.is_being_deleted() {
        return remove_finalizers(source, resource, object).await;
    }
    // Without a finalizer no controller sees the deletion, only who is asked before it.
    let is_seen = !object.finalizers().is_empty() || hooks.look_at(resource);
    let marked = match is_marked(object) || !is_seen {
        true => Some(object.clone()),
        false => patch_as_read(source, resource, object, mark(object)).await?,
    };
    let Some(marked) = marked else { return Ok(()) };
    let was_there = source.delete_unchanged(resource, &marked).await?;
    if was_there && !marked.finalizers().is_empty() {
        remove_finalizers(source, resource, &marked).await?;
    }
    Ok(())
}

/// Returns the patch of an object that is about to be deleted.
fn mark(object: &Object) -> Value {
    let mut mark = json!({"metadata": {"annotations": before_deletion(object)}});
    if is_helm_proxy(object) {
        // Its provider does not look at the pause when it tries again what has failed before: it must
        // not see a deletion at all.
        mark["metadata"]["finalizers"] = Value::Null;
    }
    mark
}

/// Returns whether an earlier attempt has marked an object.
fn is_marked(object: &Object) -> bool {
    let is_free = !is_helm_proxy(object) || object.finalizers().is_empty();
    object.annotation(DELETE_FOR_MOVE_ANNOTATION).is_some() && is_free
}

/// Waits until everything is gone. Controllers can be slow to notice and put a finalizer back, so such
/// objects are freed again.
async fn wait_until_gone(
    run: &Run,
    territory: &Territory,
    graph: &Graph,
) -> Result<(), PhaseError> {
    let moving = || graph.moving().filter(|node| node.fate == Fate::Move);
    let moved: HashMap<&str, &Node> = moving().map(|node| (node.object.uid(), node)).collect();
    let clusters: HashSet<_> = moving().filter(|node| is_cluster(&node.object)).map(name).collect();
    let begun = Instant::now();
    loop {
        run.stop.check_lock()?;
        let listed = list_copied(&run.source, territory, graph).await?;
        let listed = || listed.iter().map(|(_, object)| object);
        let is_new = |object: &&Object| is_cluster(object) && !moved.contains_key(object.uid());
        let has_name = |object: &&Object| clusters.contains(&(object.namespace(), object.name()));
        if let Some(returned) = listed().filter(is_new).find(has_name) {
            return Err(PhaseError::CameBack { object: returned.id() });
        }
        let left: Vec<&Object> =
            listed().filter(|object| moved.contains_key(object.uid())).collect();
        let Some(first) = left.first() else {
            return Ok(());
        };
        if begun.elapsed() > run.options.delete_timeout {
            return Err(PhaseError::NotGone {
                object: first.id(),
                seconds: begun.elapsed().as_secs(),
                finalizers: first.finalizers().join(", "),
            });
        }
        run.events.doing(format!(
            "waiting for {} objects to go, {} among them",
            left.len(),
            first.id()
        ));
        for object in left.into_iter().filter(|object| object.is_being_deleted()) {
            let Some(node) = moved.get(object.uid()) else { continue };
            match remove_finalizers(&run.source, graph.resource(node), object).await {
                Err(error) if !error.is_refused_by_admission() => return Err(error.into()),
                _ => {}
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn name(node: &Node) -> (Option<&str>, &str) {
    (node.object.namespace(), node.object.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(extra: Value) -> Object {
        let mut machine = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Machine",
            "metadata": {"name": "m", "resourceVersion": "1", "finalizers": ["a"]}, "spec": {"x": 1}});
        merge(&mut machine, extra);
        Object::new(machine)
    }

    fn merge(into: &mut Value, from: Value) {
        match (into, from) {
            (Value::Object(into), Value::Object(from)) => from
                .into_iter()
                .for_each(|(key, value)| merge(into.entry(key).or_insert(Value::Null), value)),
            (into, from) => *into = from,
        }
    }

    #[test]
    fn a_new_status_finalizer_or_mark_does_not_stop_a_deletion() {
        for extra in [
            json!({"status": {"phase": "Running"}}),
            json!({"metadata": {"finalizers": ["a", "b"]}}),
            json!({"metadata": {"finalizers": []}}),
            json!({"metadata": {"annotations": {DELETE_FOR_MOVE_ANNOTATION: ""}}}),
        ] {
            check_unchanged(&machine(json!({})), &machine(extra)).expect("may be deleted");
        }
    }

    #[test]
    fn new_content_stops_a_deletion() {
        for extra in [json!({"spec": {"x": 2}}), json!({"metadata": {"labels": {"l": "v"}}})] {
            let error = check_unchanged(&machine(json!({})), &machine(extra)).expect_err("an edit");
            assert!(matches!(error, PhaseError::SourceChanged { .. }), "{error}");
        }
    }

    #[test]
    fn a_cluster_that_was_resumed_is_not_deleted() {
        let cluster = |paused: bool| {
            Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
                "metadata": {"name": "c"}, "spec": {"paused": paused}}))
        };
        check_unchanged(&cluster(true), &cluster(true)).expect("is paused");
        let error = check_unchanged(&cluster(true), &cluster(false)).expect_err("is active");
        assert!(matches!(error, PhaseError::SourceActive { .. }), "{error}");
    }

    #[test]
    fn a_finalizer_that_comes_back_to_a_helm_release_stops_its_deletion() {
        let proxy = |finalizers: Value| {
            Object::new(json!({"apiVersion": "addons.cluster.x-k8s.io/v1alpha1",
                "kind": "HelmReleaseProxy", "metadata": {"name": "a", "finalizers": finalizers,
                "annotations": {"cluster.x-k8s.io/paused": ""}}}))
        };
        check_unchanged(&proxy(json!([])), &proxy(json!(["helm"])))
            .expect_err("a controller works");
    }
}
