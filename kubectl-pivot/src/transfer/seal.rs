//! Sealing the copies: each gets the managed fields of its source, and loses the run's mark.
//!
//! Begins only after all copies are verified; the sources are still there, so it can be repeated.

use serde_json::json;

use super::copy::Copies;
use super::error::PhaseError;
use super::findings::Findings;
use super::namespaces;
use super::run::{Progress, Run};
use crate::capi::managed_fields;
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Graph, Node, ObjectId};
use crate::cluster::{FIELD_MANAGER, PatchKind, Served, WriteOptions};

/// Seals all copies that this run has created. Copies that the API server gives other managed fields than
/// their sources have are a warning: the objects themselves are equal.
///
/// # Errors
/// When a request fails.
pub async fn seal(run: &Run, graph: &Graph, copies: &Copies) -> Result<Findings, PhaseError> {
    let served = Served::read(&run.target).await?;
    let created: Vec<&Node> = graph
        .copied()
        .map(|index| &graph.nodes[index])
        .filter(|node| !copies.reused.contains(node.object.uid()))
        .collect();
    let progress = Progress::of(created.len()).carried_through();
    let sealed = run.each(created, &progress, |node| seal_one(run, graph, (copies, &served), node));
    let different: Vec<ObjectId> = sealed.await?.into_iter().flatten().collect();
    namespaces::keep(run, graph).await?;
    Ok(warn(different))
}

/// Returns the object if its copy has other managed fields now than it should have.
async fn seal_one(
    run: &Run,
    graph: &Graph,
    (copies, served): (&Copies, &Served),
    node: &Node,
) -> Result<Option<ObjectId>, PhaseError> {
    let resource = graph.resource(node);
    let mut wanted =
        managed_fields::for_copy(node.object.managed_fields(), &copies.uids, FIELD_MANAGER);
    managed_fields::keep_served(&mut wanted, served.versions(&resource.group, &resource.kind));
    let uid = copies.uids.get(node.object.uid());
    let entries = managed_fields::replacement(&wanted);
    let patch = json!({"metadata": {"uid": uid, "annotations": {RUN_ANNOTATION: null}, "managedFields": entries}});
    let place = (node.object.namespace(), node.object.name());
    let options = WriteOptions::default();
    let stored = run.target.patch(resource, place, (PatchKind::Merge, &patch), &options).await?;
    let is_same =
        managed_fields::comparable(stored.managed_fields()) == managed_fields::comparable(&wanted);
    Ok((!is_same).then(|| node.object.id()))
}

fn warn(different: Vec<ObjectId>) -> Findings {
    let mut findings = Findings::default();
    if !different.is_empty() {
        let problem = "the target has stored other managedFields than those of the source";
        let hint = "a webhook or policy of the target may change them with every update; whoever applies \
                    these objects next may have to use --force-conflicts";
        findings.group_warning("FieldManagersDiffer", "target", different, problem, hint);
    }
    findings
}
