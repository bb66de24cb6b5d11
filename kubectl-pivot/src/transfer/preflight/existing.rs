//! Objects that are in the target already.

use std::collections::HashMap;

use super::super::compare::compare;
use super::super::copy::may_reuse;
use super::super::discover::{Territory, list_copied};
use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::run::Run;
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Graph, Object};

type Key = (usize, Option<String>, String);

/// Refuses to meet objects of the same name that are not the same.
pub(super) async fn check(
    run: &Run,
    territory: &Territory,
    graph: &Graph,
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let listed = list_copied(&run.target, territory, graph).await?;
    let existing: HashMap<Key, Object> =
        listed.into_iter().map(|(kind, object)| (key(kind, &object), object)).collect();
    for node in graph.copied().map(|index| &graph.nodes[index]) {
        let object = &node.object;
        let Some(found) = existing.get(&key(node.kind, object)) else { continue };
        if may_reuse(node, found)
            || found.annotation(RUN_ANNOTATION) == Some(&run.id)
            || is_of_run(run, found)
        {
            continue;
        }
        let difference = compare(object, found);
        let problem = match difference.lost.iter().chain(&difference.added).next() {
            Some(path) => {
                format!("an object of this name is in the target already, and differs at {path}")
            }
            None => "an object of this name is in the target already".to_owned(),
        };
        let hint = format!(
            "compare {} in both clusters and delete or rename the one that is not wanted",
            object.id()
        );
        findings.object_error("Exists", "target", object.id(), &problem, hint);
    }
    Ok(())
}

fn key(kind: usize, object: &Object) -> Key {
    (kind, object.namespace().map(str::to_owned), object.name().to_owned())
}

fn is_of_run(run: &Run, object: &Object) -> bool {
    super::super::pause::paused_by(object) == Some(&run.id)
}
