//! Objects with which a source, or somebody who can change a backup, would get into the target itself: whatever is in a
//! namespace of Kubernetes, such as a bootstrap token or `aws-auth`, and Secrets that log in to the cluster they are in.

#![deny(clippy::indexing_slicing)]

use capi::{Graph, Object};

use super::findings::Findings;

/// Namespaces of Kubernetes itself.
const NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Types of Secrets that log in to the cluster that they are in.
const LOGINS: [&str; 2] = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

/// Says why an object is none that another cluster gets.
pub(super) fn problem(object: &Object) -> Option<&'static str> {
    let kind = object.value().get("type").and_then(|kind| kind.as_str());
    // Providers make such Secrets too, and own them.
    if kind.is_some_and(|kind| LOGINS.contains(&kind)) && object.owner_references().is_empty() {
        return Some("a Secret of this type is a login to the cluster itself");
    }
    let namespace = object.namespace()?;
    NAMESPACES.contains(&namespace).then_some("its namespace is one of Kubernetes itself")
}

/// Refuses to move such objects. A backup may hold them and is not restored: there it is a warning.
pub(super) fn check(is_backup: bool, graph: &Graph, findings: &mut Findings) {
    let hint = "remove the label or the owner reference with which it moves, or move its Clusters to another \
                namespace first";
    for object in graph.copied().filter_map(|index| graph.nodes.get(index)).map(|n| &n.object) {
        let Some(problem) = problem(object) else { continue };
        if is_backup {
            let problem = format!("{problem}; a restore refuses it");
            findings.object_warning("ReservedObject", "source", object.id(), &problem, hint);
        } else {
            findings.object_error("ReservedObject", "source", object.id(), problem, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::findings::Severity;
    use capi::names::MOVE_LABEL;
    use capi::{MoveKind, ResourceType, Scope};

    fn object(kind: &str, namespace: &str, of_type: &str) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": kind, "type": of_type, "metadata":
            {"namespace": namespace, "name": "a", "uid": kind, "labels": {MOVE_LABEL: ""}}}))
    }

    #[test]
    fn objects_that_would_get_into_the_target_itself_do_not_move() {
        let resources = [("Secret", "secrets"), ("ConfigMap", "configmaps")];
        let kinds = resources.map(|(kind, plural)| MoveKind {
            resource: ResourceType::core(kind, plural),
            moves: false,
            moves_hierarchy: false,
            has_status_subresource: false,
            converted_to: None,
        });
        let found = |object: Object, is_backup| {
            let index = usize::from(object.kind() == "ConfigMap");
            let objects = vec![(index, object)];
            let graph = Graph::build(Arc::new(kinds.to_vec()), objects, &Scope::default());
            let mut findings = Findings::default();
            check(is_backup, &graph.expect("no cycle"), &mut findings);
            findings.0.iter().map(|finding| finding.severity).collect::<Vec<_>>()
        };
        for (kind, namespace, of_type) in [
            ("Secret", "team", "bootstrap.kubernetes.io/token"),
            ("Secret", "team", "kubernetes.io/service-account-token"),
            ("Secret", "kube-system", "Opaque"),
            ("ConfigMap", "kube-public", ""),
        ] {
            assert_eq!(found(object(kind, namespace, of_type), false), [Severity::Error]);
            assert_eq!(found(object(kind, namespace, of_type), true), [Severity::Warning]);
        }
        assert_eq!(found(object("Secret", "team", "cluster.x-k8s.io/secret"), false), []);
    }
}
