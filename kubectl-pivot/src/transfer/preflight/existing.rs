//! Objects that are in the target already.

use std::collections::HashMap;

use super::super::compare::compare;
use super::super::copy::may_reuse;
use super::super::discover::{Territory, list_kinds};
use super::super::error::PhaseError;
use super::super::findings::Findings;
use super::super::options::Namespaces;
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
    let existing = list_target(run, territory, graph).await?;
    for node in graph.copied().map(|index| &graph.nodes[index]) {
        let object = &node.object;
        let key = (node.kind, object.namespace().map(str::to_owned), object.name().to_owned());
        let Some(found) = existing.get(&key) else { continue };
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

fn is_of_run(run: &Run, object: &Object) -> bool {
    super::super::pause::paused_by(object) == Some(&run.id)
}

/// Lists the kinds that move, in the namespaces they move to.
async fn list_target(
    run: &Run,
    territory: &Territory,
    graph: &Graph,
) -> Result<HashMap<Key, Object>, PhaseError> {
    let mut places: Vec<Namespaces> = vec![territory.namespaces.clone()];
    if let Some(moving) = territory.namespaces.selector() {
        let mut others: Vec<&str> =
            graph.copied().filter_map(|index| graph.nodes[index].object.namespace()).collect();
        others.sort_unstable();
        others.dedup();
        places.extend(
            others
                .into_iter()
                .filter(|other| *other != moving)
                .map(|other| Namespaces::One(other.to_owned())),
        );
    }
    let mut found = HashMap::new();
    for namespaces in places {
        let part = Territory { namespaces, ..territory.clone() };
        for (kind, object) in list_kinds(&run.target, &part).await? {
            found.insert(
                (kind, object.namespace().map(str::to_owned), object.name().to_owned()),
                object,
            );
        }
    }
    Ok(found)
}
