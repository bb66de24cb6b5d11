//! Looking at resumed copies once more. What is to be resumed is found by lists: a target that
//! leaves something out of one would keep it paused for good, under a run that nobody can continue
//! any more.

use std::collections::{BTreeSet, HashSet};

use capi::{Fate, Graph, Node, Object, ObjectId, is_pausable};
use cluster::Client;
use futures::{StreamExt, TryStreamExt};

use super::discover::LISTS_IN_FLIGHT;
use super::error::PhaseError;
use super::pause::paused_by;
use super::run::{Progress, Run};

/// Checks that nothing that this run has paused still has its pause: no copy in the target, and no
/// ClusterClass or ClusterResourceSet that was kept in the source.
///
/// # Errors
/// [`PhaseError::StillPaused`] with the first that has; or a request fails.
pub(super) async fn check_resumed(run: &Run, graph: &Graph) -> Result<(), PhaseError> {
    let paused: Vec<&Node> = graph
        .copied()
        .filter_map(|index| graph.nodes.get(index))
        .filter(|node| paused_by(&node.object) == Some(&run.id))
        .collect();
    let (moved, kept): (Vec<&Node>, Vec<&Node>) =
        paused.into_iter().partition(|node| node.fate == Fate::Move);
    let kept = kept.into_iter().filter(|node| is_pausable(&node.object)).collect();
    check(run, (&run.target, "target"), graph, moved).await?;
    check(run, (&run.source, "source"), graph, kept).await
}

/// Checks objects of one cluster. One list of metadata for each kind tells; an object that it does
/// not have either is read alone.
async fn check(
    run: &Run,
    (cluster, side): (&Client, &'static str),
    graph: &Graph,
    paused: Vec<&Node>,
) -> Result<(), PhaseError> {
    let is_ours = |object: &Object| paused_by(object) == Some(&run.id);
    let mut seen: HashSet<ObjectId> = HashSet::new();
    for object in list(run, cluster, graph, &paused).await? {
        if is_ours(&object) {
            return Err(PhaseError::StillPaused { object: object.id(), side });
        }
        seen.insert(object.id());
    }
    let unseen = paused.into_iter().filter(|node| !seen.contains(&node.object.id()));
    let unseen: Vec<&Node> = unseen.collect();
    let progress = Progress::of(unseen.len()).carried_through();
    run.each(unseen, &progress, |node| async move {
        let (resource, object) = (graph.resource(node), &node.object);
        let now = cluster.get(resource, object.namespace(), object.name()).await?;
        match now.filter(is_ours) {
            Some(now) => Err(PhaseError::StillPaused { object: now.id(), side }),
            None => Ok(()),
        }
    })
    .await?;
    Ok(())
}

/// Lists the kinds of these objects, where they are.
async fn list(
    run: &Run,
    cluster: &Client,
    graph: &Graph,
    nodes: &[&Node],
) -> Result<Vec<Object>, PhaseError> {
    let is_everywhere = run.options.namespaces.selector().is_none();
    let place = |node: &Node| {
        let namespace = node.object.namespace().filter(|_| !is_everywhere);
        (node.kind, namespace.map(str::to_owned))
    };
    let places: BTreeSet<(usize, Option<String>)> = nodes.iter().map(|node| place(node)).collect();
    let resources = places
        .into_iter()
        .filter_map(|(kind, namespace)| Some((&graph.kinds.get(kind)?.resource, namespace)));
    let lists: Vec<Vec<Object>> = futures::stream::iter(resources)
        .map(|(resource, namespace)| async move {
            cluster.list_metadata(resource, namespace.as_deref()).await
        })
        .buffered(LISTS_IN_FLIGHT)
        .try_collect()
        .await?;
    Ok(lists.into_iter().flatten().collect())
}
