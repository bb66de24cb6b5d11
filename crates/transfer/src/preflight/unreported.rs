//! Kinds whose controllers do not report that they honour a pause, where the source keeps their
//! objects.

use std::collections::BTreeMap;

use capi::{Fate, Graph, ResourceType, is_custom_resource, reports_pause};

use crate::findings::{Findings, shortened};
use crate::run::Run;

/// Names of kinds in a message; the rest is counted.
const SHOWN: usize = 6;

/// Refuses such kinds: a controller that ignores the pause would work on in the source for good,
/// beside that of the target. A hold by Leases does not help: it ends when nobody renews it.
pub(super) fn check(run: &Run, graph: &Graph, findings: &mut Findings) {
    if !run.options.leave_source {
        return;
    }
    let silent = silent(graph);
    let is_trusted = |kind: &&ResourceType| {
        let mut trusted = run.options.trust_pause.iter();
        trusted.any(|selector| selector.matches(&kind.group, &kind.kind))
    };
    let silent: Vec<&ResourceType> = silent.into_iter().filter(|kind| !is_trusted(kind)).collect();
    if silent.is_empty() {
        return;
    }
    let names = silent.iter().map(|kind| format!("{}.{}", kind.kind, kind.group));
    findings.error(
        "PauseUnreported",
        "source",
        format!(
            "{}: no object reports that its controller honours a pause, and the source keeps these \
             objects",
            shortened(names, SHOWN)
        ),
        "update the provider to a version that reports the condition Paused; if you know that its \
         controllers honour a pause, use --trust-pause KIND",
    );
}

/// Returns the kinds that controllers act on and of which no object has a condition `Paused`.
fn silent(graph: &Graph) -> Vec<&ResourceType> {
    let mut reports: BTreeMap<usize, bool> = BTreeMap::new();
    for node in graph.moving().filter(|node| node.fate == Fate::Move) {
        let object = &node.object;
        let kind = graph.kind(node);
        let has_status = kind.has_status_subresource;
        // A plugin says how controllers of such a kind are paused.
        if kind.own_pause().is_none()
            && is_custom_resource(object)
            && (has_status || !object.finalizers().is_empty())
        {
            *reports.entry(node.kind).or_default() |= reports_pause(object).is_some();
        }
    }
    let silent = reports.into_iter().filter(|(_, reports)| !reports);
    silent.map(|(kind, _)| &graph.kind_at(kind).resource).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::{MoveKind, Object, Scope};

    const CORE: &str = "cluster.x-k8s.io/v1beta2";

    fn object(kind: &str, conditions: Value) -> Object {
        Object::new(json!({"apiVersion": CORE, "kind": kind, "metadata": {"namespace": "n",
            "name": "c", "uid": kind, "labels": {"cluster.x-k8s.io/cluster-name": "c"},
            "ownerReferences": if kind == "Cluster" { json!([]) } else {
                json!([{"apiVersion": CORE, "kind": "Cluster", "name": "c", "uid": "Cluster"}])
            }}, "status": {"conditions": conditions}}))
    }

    #[test]
    fn a_kind_is_silent_if_none_of_its_objects_has_the_condition() {
        let kinds = ["Cluster", "Machine"].map(|kind| MoveKind::for_tests(CORE, kind));
        let paused = json!([{"type": "Paused", "status": "False"}]);
        let objects = vec![
            (0, object("Cluster", paused)),
            (1, object("Machine", json!([{"type": "Ready"}]))),
        ];
        let graph = Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default());
        let graph = graph.expect("no cycle");
        let names: Vec<&str> = silent(&graph).iter().map(|kind| kind.kind.as_str()).collect();
        assert_eq!(names, ["Machine"]);
    }
}
