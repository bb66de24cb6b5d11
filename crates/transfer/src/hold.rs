//! The last look at the source, before something is deleted from it: what is active there, and what
//! has come since.

use std::collections::{BTreeSet, HashMap, HashSet};

use capi::{Fate, Graph, Node, Object, ObjectId, PAUSABLE, ResourceType, is_pausable, is_paused};
use futures::{StreamExt, TryStreamExt};

use super::discover::MoveScope;
use super::error::PhaseError;
use super::pause::{pause_objects, paused_by};
use super::quiesce::{Pauses, quiesce};
use super::record::Role;
use super::run::Run;

/// Kinds listed at once.
const LISTS_IN_FLIGHT: usize = 8;

/// An object that nobody knew of when the copies were compared.
///
/// The garbage collector deletes it with its owner, and the target has no copy of it.
pub(super) struct LateObject {
    /// The object.
    pub(super) object: ObjectId,
    /// The node of its owner, which is still there.
    pub(super) owner: usize,
}

/// Checks that the source is still paused. What somebody has resumed since is paused again, once,
/// and its controllers are waited for. Returns what has come.
///
/// # Errors
/// When an object is resumed again and again, is active without ever having been paused by this
/// run, or a request fails.
pub(super) async fn hold(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
) -> Result<Vec<LateObject>, PhaseError> {
    let listed = list(run, graph).await?;
    let resumed = resumed(run, graph, &listed)?;
    let Some((_, first)) = resumed.first() else { return Ok(late(graph, &listed)) };
    run.events
        .note(format!("somebody has resumed {} in the source; it is paused again", first.id()));
    pause_objects(run, &run.source, resumed).await?;
    let now = super::discover::discover(&run.source, move_scope).await?;
    // Controllers that are held see no pause, and do nothing.
    if !run.holds(Role::Source) {
        quiesce(run, move_scope, now, Pauses::No).await?;
    }
    let listed = list(run, graph).await?;
    match self::resumed(run, graph, &listed)?.first() {
        Some((_, object)) => Err(PhaseError::SourceActive { object: object.id() }),
        None => Ok(late(graph, &listed)),
    }
}

/// Checks that nothing has come below what moves since it was compared with its copies.
///
/// # Errors
/// [`PhaseError::Late`] with the first object that has; or a list fails.
pub(super) async fn check_none_late(run: &Run, graph: &Graph) -> Result<(), PhaseError> {
    match late(graph, &list(run, graph).await?).into_iter().next() {
        Some(late) => Err(PhaseError::Late { object: late.object }),
        None => Ok(()),
    }
}

/// Lists all kinds of which something moves; whole only where the pause counts.
async fn list(run: &Run, graph: &Graph) -> Result<Vec<(ResourceType, Vec<Object>)>, PhaseError> {
    let moving = graph.moving().filter(|node| node.fate == Fate::Move);
    let kinds: BTreeSet<usize> = moving.map(|node| node.kind).collect();
    let namespace = run.options.namespaces.selector();
    let lists = futures::stream::iter(kinds).map(|kind| async move {
        let resource = &graph.kind_at(kind).resource;
        let listed = match PAUSABLE.contains(&(&resource.group, &resource.kind)) {
            true => run.source.list(resource, namespace).await?,
            false => run.source.list_metadata(resource, namespace).await?,
        };
        Ok::<_, PhaseError>((resource.clone(), listed))
    });
    lists.buffered(LISTS_IN_FLIGHT).try_collect().await
}

/// Returns what moves, is active in the source, and was paused by this run.
fn resumed(
    run: &Run,
    graph: &Graph,
    listed: &[(ResourceType, Vec<Object>)],
) -> Result<Vec<(ResourceType, Object)>, PhaseError> {
    let moving = graph.pausable().filter(|node| node.fate == Fate::Move);
    let moving: HashSet<_> =
        moving.map(|node| key(&graph.kind(node).resource, &node.object)).collect();
    let mut resumed = Vec::new();
    for (resource, objects) in listed {
        let active = objects.iter().filter(|object| is_pausable(object) && !is_paused(object));
        for object in active.filter(|object| moving.contains(&key(resource, object))) {
            if paused_by(object) != Some(&run.id) {
                return Err(PhaseError::CameBack { object: object.id() });
            }
            resumed.push((resource.clone(), object.clone()));
        }
    }
    Ok(resumed)
}

/// Kind, namespace and name of an object.
fn key<'a>(resource: &'a ResourceType, object: &'a Object) -> (&'a str, Option<&'a str>, &'a str) {
    (&resource.plural, object.namespace(), object.name())
}

/// Returns the objects that are not in the graph and hang on something of it that moves. What
/// hangs on an owner that is gone, or in deletion, is the garbage collector's already.
fn late(graph: &Graph, listed: &[(ResourceType, Vec<Object>)]) -> Vec<LateObject> {
    let listed = || listed.iter().flat_map(|(_, objects)| objects);
    let staying = listed().filter(|object| !object.is_being_deleted());
    let staying: HashSet<&str> = staying.map(Object::uid).collect();
    let known: HashMap<&str, (usize, &Node)> = graph
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (node.object.uid(), (index, node)))
        .collect();
    let mut late = Vec::new();
    for object in listed().filter(|object| !known.contains_key(object.uid())) {
        let owners = object.owner_references().into_iter();
        let owner = owners.filter(|owner| staying.contains(owner.uid.as_str()));
        let mut owner = owner.filter_map(|owner| known.get(owner.uid.as_str()));
        let owner = owner.find(|(_, node)| node.fate == Fate::Move);
        if let Some((owner, _)) = owner.filter(|_| !object.is_being_deleted()) {
            late.push(LateObject { object: object.id(), owner: *owner });
        }
    }
    late
}
