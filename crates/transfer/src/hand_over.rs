//! Handing the copies over: each gets the finalizers and managed fields of its source, and loses
//! the run's mark and the pause that it was created with.
//!
//! Begins only after all copies are verified and written down; the sources are still there, so it
//! can be repeated, and a rollback finds the copies by their list.

use capi::managed_fields;
use capi::names::{FINALIZERS_ANNOTATION, PAUSED_ANNOTATION, RUN_ANNOTATION};
use capi::{Graph, Node, Object, ObjectId, set_field};
use cluster::{FIELD_MANAGER, Served, WriteOptions};
use serde_json::{Value, json};

use super::copy::{Copies, has_birth_pause};
use super::error::PhaseError;
use super::findings::Findings;
use super::operations::{Executor, plan};
use super::precondition::{patch, patch_with, read_again};
use super::run::Run;

/// Hands over all copies that this run has created and that still have its mark. Copies that the
/// API server gives other managed fields than their sources have are a warning: the objects
/// themselves are equal.
///
/// # Errors
/// When a request fails, or a copy is gone.
pub async fn hand_over_copies(
    run: &Run,
    graph: &Graph,
    copies: &Copies,
) -> Result<Findings, PhaseError> {
    let served = Served::read(&run.target).await?;
    let stage = plan::hand_overs(graph, &copies.reused);
    let created = stage.nodes.iter().map(|index| &graph[*index]);
    let dropped: Vec<ObjectId> = created
        .filter(|node| loses_managers(graph, node, &served))
        .map(|n| n.object.id())
        .collect();
    let executor = Executor::new(run, std::slice::from_ref(&stage));
    // A restore has passed its point of no return.
    let executor = if run.is_alone() { executor.carried_through() } else { executor };
    let handed_over = executor
        .carry_out(stage, |index| hand_over_copy(run, graph, (copies, &served), &graph[index]));
    let different: Vec<ObjectId> = handed_over.await?.into_iter().flatten().collect();
    Ok(warn(different, dropped))
}

/// Returns whether somebody manages fields of an object at a version that the target does not
/// serve. That does not reach the copy.
fn loses_managers(graph: &Graph, node: &Node, served: &Served) -> bool {
    let kind = graph.kind(node);
    let versions = served.versions(&kind.resource.group, &kind.resource.kind);
    let mut managers = node.object.managed_fields().to_vec();
    !managed_fields::keep_served(&mut managers, versions)
}

/// Hands one copy over. Returns the object if its copy has other managed fields now than it should
/// have.
///
/// The finalizers come under the name of their manager in the source, where that is one manager:
/// what a request changes is booked to its sender, even if the same request says who manages what.
/// Where it is booked to somebody else nevertheless, a second request puts that right.
async fn hand_over_copy(
    run: &Run,
    graph: &Graph,
    (copies, served): (&Copies, &Served),
    node: &Node,
) -> Result<Option<ObjectId>, PhaseError> {
    let resource = graph.resource(node);
    let missing = || PhaseError::CopyMissing { object: node.object.id() };
    let mut managers =
        managed_fields::for_copy(node.object.managed_fields(), &copies.uids, FIELD_MANAGER);
    managed_fields::keep_served(&mut managers, served.versions(&resource.group, &resource.kind));
    let copy = copies.read.get(node.object.uid()).ok_or_else(missing)?;
    let wanted =
        |copy: &Object| managed_fields::with_status_of(copy.managed_fields(), managers.clone());
    let is_as_wanted = |stored: &Object| {
        let wanted = managed_fields::comparable(&wanted(stored));
        managed_fields::comparable(stored.managed_fields()) == wanted
    };
    let hand_over = |copy: &Object| {
        let is_marked = copy.annotation(RUN_ANNOTATION) == Some(&run.id);
        is_marked.then(|| handing_over(&node.object, copy, &wanted(copy)))
    };
    let manager = managed_fields::manager_of_finalizers(&managers, &resource.api_version());
    let options = WriteOptions::manager(manager.unwrap_or(FIELD_MANAGER));
    let handed_over = patch_with(&options, &run.target, resource, copy, hand_over).await?;
    let stored = match handed_over {
        Some(stored) if is_as_wanted(&stored) => return Ok(None),
        Some(stored) => stored,
        None => {
            // It was handed over before, perhaps without the second request, or is gone.
            let now = read_again(&run.target, resource, copy).await?.ok_or_else(missing)?;
            if managed_fields::managers(&now).all(|manager| manager != FIELD_MANAGER) {
                return Ok(None);
            }
            now
        }
    };
    let correct = |stored: &Object| {
        let entries = managed_fields::replacement(&wanted(stored));
        Some(json!({"metadata": {"managedFields": entries}}))
    };
    let corrected = patch(&run.target, resource, &stored, correct).await?.ok_or_else(missing)?;
    Ok((!is_as_wanted(&corrected)).then(|| node.object.id()))
}

/// The patch of a copy that is handed over: the field ownership and the finalizers of its source,
/// and those that its controllers have added. What was only there to keep it inert goes.
fn handing_over(source: &Object, copy: &Object, managers: &[Value]) -> Value {
    let mut patch = json!({"metadata": {"annotations": setting_free(copy),
        "managedFields": managed_fields::replacement(managers)}});
    if let Some(finalizers) = with_finalizers(copy, source.finalizers()) {
        set_field(&mut patch, &["metadata", "finalizers"], finalizers);
    }
    patch
}

/// The finalizers of a copy with these among them; `None` if it has them all.
pub(super) fn with_finalizers(copy: &Object, wanted: Vec<&str>) -> Option<Value> {
    let own = copy.finalizers();
    let missing: Vec<&str> = wanted.into_iter().filter(|name| !own.contains(name)).collect();
    (!missing.is_empty()).then(|| json!([missing, own].concat()))
}

/// The annotations of a copy that becomes an object like others.
pub(super) fn setting_free(copy: &Object) -> Value {
    let mut annotations = json!({RUN_ANNOTATION: null, FINALIZERS_ANNOTATION: null});
    if has_birth_pause(copy) {
        set_field(&mut annotations, &[PAUSED_ANNOTATION], Value::Null);
    }
    annotations
}

fn warn(different: Vec<ObjectId>, dropped: Vec<ObjectId>) -> Findings {
    let mut findings = Findings::default();
    if !dropped.is_empty() {
        let problem =
            "the target does not serve the version at which some managedFields were written";
        let hint = "nobody manages these fields in the target: the next one who applies these \
                    objects takes them over, and does not remove what is no longer in its \
                    configuration";
        findings.group_warning("FieldManagersDropped", "target", dropped, problem, hint);
    }
    if !different.is_empty() {
        let problem = "the target has stored other managedFields than those of the source";
        let hint = "a webhook or policy of the target may change them with every update; a user \
                    who applies these objects next may have to use --force-conflicts";
        findings.group_warning("FieldManagersDiffer", "target", different, problem, hint);
    }
    findings
}
