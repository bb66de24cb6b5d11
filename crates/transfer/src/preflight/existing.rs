//! Objects that are in the target already.

use std::collections::HashMap;

use capi::names::RUN_ANNOTATION;
use capi::{Graph, Node, Object, has_paused_annotation, is_custom_resource};

use crate::compare::compare;
use crate::copy::may_reuse;
use crate::discover::{MoveScope, list_copied};
use crate::error::PhaseError;
use crate::findings::Findings;
use crate::pause::paused_by;
use crate::run::Run;
use crate::verify::lost;

type Key = (usize, Option<String>, String);

/// Refuses to meet objects of the same name that are not the same.
pub(super) async fn check(
    run: &Run,
    move_scope: &MoveScope,
    graph: &Graph,
    findings: &mut Findings,
) -> Result<(), PhaseError> {
    let listed = list_copied(&run.target, move_scope, graph).await?;
    let existing: HashMap<Key, Object> =
        listed.into_iter().map(|(kind, object)| (key(kind, &object), object)).collect();
    for node in graph.copied().map(|index| &graph[index]) {
        let Some(found) = existing.get(&key(node.kind, &node.object)) else { continue };
        if !is_of_run(run, found) {
            let kind = graph.kind(node);
            let may_reuse = may_reuse(run, kind, node, found).await?;
            let lost = lost(run, kind, &node.object, found);
            judge((node, found), may_reuse, &lost, findings);
        }
    }
    Ok(())
}

/// Says what is wrong with an object that is in the target under the name of a copy; `lost` are the
/// paths at which it is not what the source says.
fn judge(
    (node, found): (&Node, &Object),
    may_reuse: bool,
    lost: &[String],
    findings: &mut Findings,
) {
    let object = &node.object;
    let added = compare(object, found).added;
    let path = lost.iter().chain(&added).next();
    if may_reuse {
        if let Some(path) = lost.first() {
            let problem = format!(
                "it is in the target already and differs at {path}; the target keeps its own"
            );
            let hint = format!("compare {} in both clusters", object.id());
            findings.object_warning("SharedDiffers", "target", object.id(), &problem, hint);
        }
        return;
    }
    let (problem, hint) = match (found.annotation(RUN_ANNOTATION), path) {
        (Some(run), _) => (
            format!("the run {run}, which has ended, left a copy of it in the target"),
            hint_of_leftover(found),
        ),
        (None, path) => (
            match path {
                Some(path) => format!(
                    "an object of this name is in the target already, and differs at {path}"
                ),
                None => "an object of this name is in the target already".to_owned(),
            },
            format!(
                "compare {} in both clusters and delete or rename the one that is not wanted",
                object.id()
            ),
        ),
    };
    findings.object_error("Exists", "target", object.id(), &problem, hint);
}

/// A copy that another run has left may be deleted as long as no controller sees the deletion.
fn hint_of_leftover(found: &Object) -> String {
    let id = found.id();
    let is_paused = has_paused_annotation(found) || !is_custom_resource(found);
    match is_paused && found.finalizers().is_empty() {
        true => format!("delete {id} in the target: no controller acts on it"),
        false => format!(
            "remove the finalizers of {id} in the target, then delete it; do not resume it before, \
             or a controller will delete its machines"
        ),
    }
}

fn key(kind: usize, object: &Object) -> Key {
    (kind, object.namespace().map(str::to_owned), object.name().to_owned())
}

fn is_of_run(run: &Run, object: &Object) -> bool {
    object.annotation(RUN_ANNOTATION) == Some(&run.id) || paused_by(object) == Some(&run.id)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::compare::is_same_content;
    use crate::copy::{Reuse, reuse};
    use capi::{Fate, KeepReason};

    fn identity(annotations: Value, spec: Value) -> Object {
        Object::new(json!({"apiVersion": "infrastructure.cluster.x-k8s.io/v1", "kind": "Identity",
            "metadata": {"name": "i", "annotations": annotations}, "spec": spec}))
    }

    fn rules(fate: Fate, found: &Object) -> Vec<(&'static str, String)> {
        let object = identity(json!({}), json!({"account": 1}));
        let node = Node { object, kind: 0, owners: vec![], soft_owners: vec![], fate };
        let mut findings = Findings::default();
        let may_reuse = match reuse(&node, found) {
            Reuse::Never => false,
            Reuse::Always => true,
            Reuse::IfSame => is_same_content(&node.object, found),
        };
        let lost = compare(&node.object, found).lost;
        judge((&node, found), may_reuse, &lost, &mut findings);
        findings.0.into_iter().map(|finding| (finding.rule, finding.message)).collect()
    }

    #[test]
    fn an_object_that_both_clusters_share_may_differ_with_a_warning() {
        let shared = || Fate::Keep(KeepReason::Global);
        let same = identity(json!({}), json!({"account": 1, "added": true}));
        assert_eq!(rules(shared(), &same), []);
        let found = rules(shared(), &identity(json!({}), json!({"account": 2})));
        assert!(matches!(&found[..], [("SharedDiffers", text)] if text.contains("spec.account")));
    }

    #[test]
    fn other_objects_of_the_name_are_errors() {
        let same = identity(json!({}), json!({"account": 1}));
        assert_eq!(rules(Fate::Move, &same), []);
        let found = rules(Fate::Move, &identity(json!({}), json!({"account": 2})));
        assert!(matches!(&found[..], [("Exists", text)] if text.contains("spec.account")));
    }

    #[test]
    fn a_copy_of_another_run_is_named_as_such() {
        let left = identity(json!({RUN_ANNOTATION: "r1"}), json!({"account": 1}));
        for fate in [Fate::Move, Fate::Keep(KeepReason::Global)] {
            let found = rules(fate, &left);
            assert!(
                matches!(&found[..], [("Exists", text)] if text.contains("run r1")),
                "{found:?}"
            );
        }
    }
}
