//! The last look at the pauses of the source, before something is deleted from it.

use std::collections::HashMap;

use capi::{Fate, Graph, Node, Object, ResourceType, is_paused};

use super::discover::MoveScope;
use super::error::PhaseError;
use super::pause::{pause_objects, paused_by};
use super::quiesce::{Pauses, quiesce};
use super::record::Role;
use super::run::Run;

/// Checks that the source is still paused. What somebody has resumed since is paused again, once,
/// and its controllers are waited for.
///
/// # Errors
/// When an object is resumed again and again, is active without ever having been paused by this
/// run, or a request fails.
pub(super) async fn hold(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
) -> Result<(), PhaseError> {
    let resumed = resumed(run, graph).await?;
    let Some((_, first)) = resumed.first() else { return Ok(()) };
    run.events
        .note(format!("somebody has resumed {} in the source; it is paused again", first.id()));
    pause_objects(run, &run.source, resumed).await?;
    let now = super::discover::discover(&run.source, move_scope).await?;
    // Controllers that are held see no pause, and do nothing.
    if !run.holds(Role::Source) {
        quiesce(run, move_scope, now, Pauses::No).await?;
    }
    match self::resumed(run, graph).await?.first() {
        Some((_, object)) => Err(PhaseError::SourceActive { object: object.id() }),
        None => Ok(()),
    }
}

/// Lists what moves, is active in the source, and was paused by this run.
async fn resumed(run: &Run, graph: &Graph) -> Result<Vec<(ResourceType, Object)>, PhaseError> {
    let mut by_kind: HashMap<usize, Vec<&Node>> = HashMap::new();
    for node in graph.pausable().filter(|node| node.fate == Fate::Move) {
        by_kind.entry(node.kind).or_default().push(node);
    }
    let mut resumed = Vec::new();
    for (kind, nodes) in by_kind {
        let resource = &graph.kind_at(kind).resource;
        let listed = run.source.list(resource, run.options.namespaces.selector()).await?;
        for object in listed.into_iter().filter(|object| !is_paused(object)) {
            if !nodes.iter().any(|node| has_name_of(node, &object)) {
                continue;
            }
            if paused_by(&object) != Some(&run.id) {
                return Err(PhaseError::CameBack { object: object.id() });
            }
            resumed.push((resource.clone(), object));
        }
    }
    Ok(resumed)
}

fn has_name_of(node: &Node, object: &Object) -> bool {
    (node.object.namespace(), node.object.name()) == (object.namespace(), object.name())
}
