//! Sealing the copies: each gets the managed fields of its source, and loses the run's mark.
//!
//! Begins only after all copies are verified; the sources are still there, so it can be repeated.

use serde_json::json;

use super::copy::Copies;
use super::error::PhaseError;
use super::namespaces;
use super::run::{Progress, Run};
use crate::capi::managed_fields;
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Graph, Node};
use crate::cluster::{FIELD_MANAGER, PatchKind, WriteOptions};

/// Seals all copies that this run has created.
///
/// # Errors
/// When a request fails, or the API server stores other managed fields than those sent.
pub async fn seal(run: &Run, graph: &Graph, copies: &Copies) -> Result<(), PhaseError> {
    let created: Vec<&Node> = graph
        .copied()
        .map(|index| &graph.nodes[index])
        .filter(|node| !copies.reused.contains(node.object.uid()))
        .collect();
    let progress = Progress::of(created.len()).carried_through();
    run.each(created, &progress, |node| seal_one(run, graph, copies, node)).await?;
    namespaces::keep(run, graph).await
}

async fn seal_one(
    run: &Run,
    graph: &Graph,
    copies: &Copies,
    node: &Node,
) -> Result<(), PhaseError> {
    let wanted =
        managed_fields::for_copy(node.object.managed_fields(), &copies.uids, FIELD_MANAGER);
    let uid = copies.uids.get(node.object.uid());
    // An empty list would make the API server start afresh; one empty entry clears it.
    let entries = if wanted.is_empty() { json!([{}]) } else { json!(wanted) };
    let patch = json!({"metadata": {"uid": uid, "annotations": {RUN_ANNOTATION: null}, "managedFields": entries}});
    let place = (node.object.namespace(), node.object.name());
    let options = WriteOptions::default();
    let stored =
        run.target.patch(graph.resource(node), place, (PatchKind::Merge, &patch), &options).await?;
    if managed_fields::comparable(stored.managed_fields()) != managed_fields::comparable(&wanted) {
        return Err(PhaseError::CopyDiffers {
            object: node.object.id(),
            path: "metadata.managedFields".to_owned(),
        });
    }
    Ok(())
}
