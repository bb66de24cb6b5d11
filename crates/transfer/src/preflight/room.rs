//! Room for what a move writes into objects: its marks have to fit, also behind the point of no
//! return.

use capi::names::{
    DELETE_FOR_MOVE_ANNOTATION, FINALIZERS_ANNOTATION, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION,
    RUN_ANNOTATION,
};
use capi::{Graph, Object};

use crate::findings::Findings;

/// The most that keys and values of annotations may add up to (`TotalAnnotationSizeLimitB` of
/// Kubernetes).
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// The largest request that etcd takes by default (`--max-request-bytes`).
const REQUEST_LIMIT: usize = 1536 * 1024;

/// The value of a mark: the id of the run, the epoch of its lock, and how a pause was before.
const VALUE_ROOM: usize = 48;

/// Bytes that an object grows by besides the marks: entries of `managedFields`, its key, the parts
/// of a request.
const REQUEST_ROOM: usize = 4096;

/// Refuses objects that marks would make too large.
pub(super) fn check(graph: &Graph, findings: &mut Findings) {
    for object in graph.copied().map(|index| &graph[index].object) {
        let annotations = size_of_annotations(object) + marks(object);
        if let Some(excess) = annotations.checked_sub(ANNOTATIONS_LIMIT).filter(|n| *n > 0) {
            let problem = format!(
                "its annotations leave too little room for the marks of a move: they are {excess} \
                 bytes too large"
            );
            let hint = "remove an unneeded annotation, for example \
                        kubectl.kubernetes.io/last-applied-configuration";
            findings.object_error("TooLarge", "source", object.id(), &problem, hint);
        }
        let stored = stored_size(object) + marks(object) + REQUEST_ROOM;
        if let Some(excess) = stored.checked_sub(REQUEST_LIMIT).filter(|n| *n > 0) {
            let problem = format!(
                "it is nearly as large as an object can be in etcd: the marks of a move would make \
                 it {excess} bytes too large"
            );
            let hint = "shorten it, or split it into several objects";
            findings.object_error("TooLarge", "source", object.id(), &problem, hint);
        }
    }
}

/// The size of all marks that an object can have at once.
fn marks(object: &Object) -> usize {
    let names =
        [DELETE_FOR_MOVE_ANNOTATION, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION];
    let values: usize = names.into_iter().map(|name| name.len() + VALUE_ROOM).sum();
    let finalizers: usize = object.finalizers().iter().map(|name| name.len() + 1).sum();
    values + FINALIZERS_ANNOTATION.len() + finalizers
}

fn size_of_annotations(object: &Object) -> usize {
    let annotations = object.at("/metadata/annotations").as_object();
    let sizes = annotations.into_iter().flatten();
    sizes.map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum()
}

/// An estimate of the size in etcd: custom resources are stored as JSON, Secrets without base64.
fn stored_size(object: &Object) -> usize {
    let size = object.value().to_string().len();
    let data = object.at("/data").as_object().filter(|_| object.kind() == "Secret");
    let values = data.into_iter().flatten().filter_map(|(_, value)| value.as_str());
    size - values.map(|value| value.len() / 4).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use capi::{MoveKind, ResourceType, Scope};

    fn findings(kind: &str, annotations: Value, data: Value) -> Vec<String> {
        let kinds = [MoveKind {
            resource: ResourceType::core(kind, "things"),
            moves: true,
            moves_hierarchy: false,
            has_status_subresource: false,
            converted_to: None,
            knowledge: None,
        }];
        let object =
            Object::new(json!({"apiVersion": "v1", "kind": kind, "data": data, "metadata":
            {"name": "a", "namespace": "ns", "uid": "a", "annotations": annotations}}));
        let graph = Graph::build(Arc::new(kinds.to_vec()), vec![(0, object)], &Scope::default());
        let mut findings = Findings::default();
        check(&graph.expect("no cycle"), &mut findings);
        findings.0.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn annotations_have_to_leave_room_for_the_marks() {
        let of = |size: usize| findings("ConfigMap", json!({"k": "x".repeat(size)}), Value::Null);
        let marks = marks(&Object::new(json!({"metadata": {}})));
        assert_eq!(of(ANNOTATIONS_LIMIT - marks - 1), [] as [&str; 0]);
        let found = of(ANNOTATIONS_LIMIT - marks + 6);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("ConfigMap ns/a") && found[0].contains(" 7 bytes"), "{found:?}");
    }

    #[test]
    fn an_object_has_to_fit_into_a_request_to_etcd() {
        let of = |kind, size: usize| findings(kind, json!({}), json!({"k": "x".repeat(size)}));
        assert_eq!(of("ConfigMap", 1024 * 1024), [] as [&str; 0]);
        assert!(of("ConfigMap", REQUEST_LIMIT - 4096)[0].contains("bytes too large"));
        // A Secret of 1 MiB, the most that there is, is a third larger in base64.
        assert_eq!(of("Secret", 1024 * 1024 * 4 / 3), [] as [&str; 0]);
    }
}
