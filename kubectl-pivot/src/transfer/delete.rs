//! Deleting from the source what the target now holds, dependents before owners.
//!
//! Each object is marked for webhooks (`delete-for-move`, merged into its annotations), deleted if
//! it is still the same one (uid), and only then freed of its finalizers: controllers would put
//! them back on an object that is not being deleted. Proxies of Helm releases are freed before.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::discover::{Territory, list_kinds};
use super::error::PhaseError;
use super::marks::before_deletion;
use super::run::{Progress, Run};
use crate::capi::{Fate, Graph, Node, Object, ResourceType, is_helm_proxy};
use crate::cluster::{ApiError, Client, PatchKind, WriteOptions};

/// Pause between two tries at an object that may not be deleted now.
const INTERVAL: Duration = Duration::from_millis(500);

/// Deletes everything that moves, and waits until it is gone.
///
/// # Errors
/// When a request fails, or an object does not go away.
pub async fn delete(run: &Run, territory: &Territory, graph: &Graph) -> Result<(), PhaseError> {
    let moved = |index: &usize| graph.nodes[*index].fate == Fate::Move;
    let progress = Progress::of(graph.copied().filter(moved).count()).carried_through();
    for level in graph.levels.iter().rev() {
        let nodes: Vec<&Node> =
            level.iter().filter(|index| moved(index)).map(|index| &graph.nodes[*index]).collect();
        run.each(nodes, &progress, |node| async move {
            delete_patiently(run, graph.resource(node), &node.object).await
        })
        .await?;
    }
    wait_until_gone(run, territory, graph).await
}

/// A webhook may refuse for a while: its controller is restarting, or waits for something to go first.
async fn delete_patiently(
    run: &Run,
    resource: &ResourceType,
    object: &Object,
) -> Result<(), PhaseError> {
    let begun = Instant::now();
    loop {
        run.stop.check_lock()?;
        match delete_one(&run.source, resource, object).await {
            Ok(()) => return Ok(()),
            Err(error)
                if error.is_refused_by_admission()
                    && begun.elapsed() < run.options.delete_timeout =>
            {
                run.events.doing(format!("trying again: {error}: {}", error.cause));
                tokio::time::sleep(INTERVAL).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn delete_one(
    source: &Client,
    resource: &ResourceType,
    object: &Object,
) -> Result<(), ApiError> {
    let mut mark =
        json!({"metadata": {"uid": object.uid(), "annotations": before_deletion(object)}});
    if is_helm_proxy(object) {
        // Its provider does not look at the pause when it tries again what has failed before: it must
        // not see a deletion at all.
        mark["metadata"]["finalizers"] = Value::Null;
    }
    if !patch_if_there(source, resource, object, &mark).await? {
        return Ok(());
    }
    source.delete(resource, object.namespace(), object.name(), object.uid()).await?;
    if !object.finalizers().is_empty() {
        free(source, resource, object).await?;
    }
    Ok(())
}

/// Removes the finalizers of an object, if it is still there.
async fn free(
    cluster: &Client,
    resource: &ResourceType,
    object: &Object,
) -> Result<bool, ApiError> {
    let patch = json!({"metadata": {"uid": object.uid(), "finalizers": null}});
    patch_if_there(cluster, resource, object, &patch).await
}

/// Patches an object unless it is gone, or another one has taken its name.
async fn patch_if_there(
    cluster: &Client,
    resource: &ResourceType,
    object: &Object,
    patch: &Value,
) -> Result<bool, ApiError> {
    let place = (object.namespace(), object.name());
    match cluster.patch(resource, place, (PatchKind::Merge, patch), &WriteOptions::default()).await
    {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Controllers can be slow to notice and put a finalizer back: free such objects again.
async fn wait_until_gone(
    run: &Run,
    territory: &Territory,
    graph: &Graph,
) -> Result<(), PhaseError> {
    let moved: HashMap<&str, &Node> = graph
        .copied()
        .map(|index| &graph.nodes[index])
        .filter(|node| node.fate == Fate::Move)
        .map(|node| (node.object.uid(), node))
        .collect();
    let begun = Instant::now();
    loop {
        run.stop.check_lock()?;
        let left = list_kinds(&run.source, territory).await?;
        let left: Vec<Object> = left
            .into_iter()
            .map(|(_, object)| object)
            .filter(|object| moved.contains_key(object.uid()))
            .collect();
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
        for object in &left {
            let Some(node) = moved.get(object.uid()) else { continue };
            match free(&run.source, graph.resource(node), object).await {
                Err(error) if !error.is_refused_by_admission() => return Err(error.into()),
                _ => {}
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
