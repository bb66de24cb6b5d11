//! Handing the copies over: each gets the managed fields of its source, and loses the run's mark.
//!
//! Begins only after all copies are verified and written down; the sources are still there, so it can be
//! repeated, and a rollback finds the copies by their list.

use serde_json::json;

use super::copy::Copies;
use super::error::PhaseError;
use super::findings::Findings;
use super::precondition::{patch, read_again};
use super::run::{Progress, Run};
use crate::capi::managed_fields;
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Graph, Node, Object, ObjectId};
use crate::cluster::{FIELD_MANAGER, Served};

/// Hands over all copies that this run has created and that still have its mark. Copies that the API server gives other managed fields than
/// their sources have are a warning: the objects themselves are equal.
///
/// # Errors
/// When a request fails, or a copy is gone.
pub async fn seal(run: &Run, graph: &Graph, copies: &Copies) -> Result<Findings, PhaseError> {
    let served = Served::read(&run.target).await?;
    let created: Vec<&Node> = graph
        .copied()
        .map(|index| &graph.nodes[index])
        .filter(|node| !copies.reused.contains(node.object.uid()))
        .collect();
    let progress = Progress::of(created.len());
    // A restore has passed its point of no return.
    let progress = if run.is_alone() { progress.carried_through() } else { progress };
    let sealed = run.each(created, &progress, |node| seal_one(run, graph, (copies, &served), node));
    let different: Vec<ObjectId> = sealed.await?.into_iter().flatten().collect();
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
    let copy = copies.read.get(node.object.uid());
    let copy = copy.ok_or_else(|| PhaseError::CopyMissing { object: node.object.id() })?;
    let entries = managed_fields::replacement(&wanted);
    let hand_over = |copy: &Object| {
        let is_marked = copy.annotation(RUN_ANNOTATION) == Some(&run.id);
        let change =
            json!({"metadata": {"annotations": {RUN_ANNOTATION: null}, "managedFields": entries}});
        is_marked.then_some(change)
    };
    let Some(stored) = patch(&run.target, resource, copy, hand_over).await? else {
        // It was handed over before, or is gone.
        let now = read_again(&run.target, resource, copy).await?;
        let is_there = now.is_some();
        return is_there
            .then_some(None)
            .ok_or_else(|| PhaseError::CopyMissing { object: node.object.id() });
    };
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
