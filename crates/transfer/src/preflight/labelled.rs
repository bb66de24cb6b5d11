//! Kinds that the target takes from a source: those that carry a label of Cluster API's kinds
//! there too. The label of the source alone would let its administrators create objects of any kind
//! that the target serves, such as an Application of Argo CD, which may do more in the target than
//! they may.

use std::collections::{BTreeMap, HashSet};

use capi::names::{CLUSTERCTL_LABEL, PROVIDER_LABEL};
use capi::{Graph, MoveKind, ResourceType};

use crate::findings::Findings;

/// Refuses objects of kinds whose CRDs have no label in the target.
pub(crate) fn check(graph: &Graph, target: &[MoveKind], findings: &mut Findings) {
    let of = |kind: &ResourceType| (kind.group.clone(), kind.kind.clone());
    let labelled: HashSet<_> = target.iter().map(|kind| of(&kind.resource)).collect();
    let mut unlabelled: BTreeMap<&ResourceType, usize> = BTreeMap::new();
    for node in graph.copied().filter_map(|index| graph.nodes.get(index)) {
        let kind = graph.resource(node);
        if !labelled.contains(&of(kind)) {
            *unlabelled.entry(kind).or_default() += 1;
        }
    }
    for (kind, count) in unlabelled {
        let message = format!(
            "its CRD of {kind} has no label {CLUSTERCTL_LABEL} and no label {PROVIDER_LABEL}, \
             with which a cluster takes objects of a kind from another ({count} are to move)"
        );
        let hint =
            format!("if they belong in the target: kubectl label crd {kind} {CLUSTERCTL_LABEL}=");
        findings.error("KindNotLabelled", "target", message, hint);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use capi::{Object, Scope};

    #[test]
    fn a_kind_that_only_the_source_has_labelled_is_refused() {
        let kind = |group: &str, kind: &str| MoveKind {
            resource: ResourceType::new(&format!("{group}/v1"), kind, "things", true),
            moves: true,
            moves_hierarchy: false,
            has_status_subresource: false,
            converted_to: None,
            knowledge: None,
        };
        let kinds = vec![kind("argoproj.io", "Application"), kind("ipam.x-k8s.io", "Pool")];
        let object = |kind: &str| {
            Object::new(json!({"kind": kind, "metadata": {"name": kind, "uid": kind}}))
        };
        let objects = vec![(0, object("Application")), (1, object("Pool"))];
        let graph = Graph::build(Arc::new(kinds.clone()), objects, &Scope::default());
        let graph = graph.expect("no cycle");
        let mut findings = Findings::default();
        check(&graph, &kinds[1..], &mut findings);
        let found: Vec<_> = findings.errors().collect();
        assert!(found.len() == 1 && found[0].rule == "KindNotLabelled", "{found:?}");
        assert!(found[0].hint.contains("kubectl label crd things.argoproj.io"), "{found:?}");
        let mut findings = Findings::default();
        check(&graph, &kinds, &mut findings);
        assert!(findings.0.is_empty());
    }
}
