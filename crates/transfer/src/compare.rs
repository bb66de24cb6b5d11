//! Comparing an object of the source with its copy.

use capi::names::{
    DELETE_FOR_MOVE_ANNOTATION, FINALIZERS_ANNOTATION, PAUSED_ANNOTATION, PAUSED_BY_ANNOTATION,
    RUN_ANNOTATION,
};
use capi::{Object, OwnerReference, group_of};
use capi::{is_cluster, is_pausable};
use serde_json::{Map, Value};
use sha2::Digest;

use super::copy::has_birth_pause;
use super::own_pause::{annotation_of_pause, has_own_pause};

/// Differences of a copy from its original.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Paths whose value is missing or different in the copy.
    pub lost: Vec<String>,
    /// Paths that only the copy has, set by defaults or webhooks of the target.
    pub added: Vec<String>,
}

impl Difference {
    /// Returns whether both are the same.
    pub fn is_none(&self) -> bool {
        self.lost.is_empty() && self.added.is_empty()
    }
}

/// Compares the content of two objects: everything except the status, what each API server gives
/// its objects (uid, versions, times, deletion, managed fields), pauses and marks of a move.
///
/// Finalizers and owner references are sets: controllers of a newer target add finalizers even to
/// paused copies, and the order of neither means anything. Owner references are compared by what
/// they name, without its version, which controllers rewrite.
///
/// A copy that carries the mark of a run has not got the finalizers of its source yet, and is
/// paused by an annotation of its own.
pub fn compare(source: &Object, copy: &Object) -> Difference {
    let mut difference = Difference::default();
    let (wanted, found) = aligned(source, copy);
    walk(&wanted, &found, String::new(), &mut difference);
    difference
}

/// The content of an object and of its copy, without what [`compare`] does not look at.
pub(super) fn aligned(source: &Object, copy: &Object) -> (Value, Value) {
    let (mut wanted, mut found) = (source.clone(), copy.clone());
    if copy.annotation(RUN_ANNOTATION).is_some() {
        let own = copy.finalizers();
        let common: Vec<&str> =
            source.finalizers().into_iter().filter(|name| own.contains(name)).collect();
        wanted.metadata_mut().insert("finalizers".to_owned(), serde_json::json!(common));
        if has_birth_pause(copy) && !has_birth_pause(source) {
            found.remove_annotation(PAUSED_ANNOTATION);
        }
    }
    (content(wanted), content(found))
}

/// Returns whether two states of one object have the same content.
pub fn is_same_content(a: &Object, b: &Object) -> bool {
    compare(a, b).is_none()
}

/// A digest of the content of an object, but for its finalizers, which a deletion takes off.
pub fn digest(object: &Object) -> String {
    let mut content = content(object.clone());
    if let Some(Value::Object(metadata)) = content.get_mut("metadata") {
        metadata.remove("finalizers");
    }
    sum(&content)
}

/// A digest of the content of an object without its metadata.
pub fn body_digest(object: &Object) -> String {
    let mut content = content(object.clone());
    if let Value::Object(fields) = &mut content {
        fields.remove("metadata");
    }
    sum(&content)
}

fn sum(content: &Value) -> String {
    let mut digits = hex::encode(sha2::Sha256::digest(content.to_string()));
    digits.truncate(32);
    digits
}

/// Returns whether a path of a difference is that of a finalizer.
pub fn is_finalizer(path: &str) -> bool {
    path.starts_with("metadata.finalizers")
}

/// Returns where a copy differs that somebody is deleting; it will not last.
pub fn being_deleted(copy: &Object) -> Option<String> {
    copy.is_being_deleted().then(|| "metadata.deletionTimestamp".to_owned())
}

/// Lists the paths of a value that are missing or different in a copy of it.
pub(super) fn lost_between(value: &Value, copy: &Value) -> Vec<String> {
    let mut difference = Difference::default();
    walk(value, copy, String::new(), &mut difference);
    difference.lost
}

fn content(mut object: Object) -> Value {
    let is_cluster = is_cluster(&object);
    // A move pauses Clusters by their field: the annotation on a Cluster is its user's.
    if has_own_pause(&object) || (is_pausable(&object) && !is_cluster) {
        object.remove_annotation(PAUSED_ANNOTATION);
    }
    if let Some(own) = annotation_of_pause(&object).map(str::to_owned) {
        object.remove_annotation(&own);
    }
    let marks =
        [PAUSED_BY_ANNOTATION, RUN_ANNOTATION, DELETE_FOR_MOVE_ANNOTATION, FINALIZERS_ANNOTATION];
    for mark in marks {
        object.remove_annotation(mark);
    }
    let owners: Map<String, Value> = object.owner_references().into_iter().map(by_name).collect();
    let finalizers: Map<String, Value> =
        object.finalizers().into_iter().map(|name| (name.to_owned(), true.into())).collect();
    object.remove_server_fields();
    let metadata = object.metadata_mut();
    metadata.insert("ownerReferences".to_owned(), owners.into());
    metadata.insert("finalizers".to_owned(), finalizers.into());
    let mut value = object.into_value();
    if let Value::Object(fields) = &mut value {
        fields.remove("status");
        if is_cluster && let Some(Value::Object(spec)) = fields.get_mut("spec") {
            spec.remove("paused");
        }
    }
    value
}

/// An owner reference under the name of the owner, with all that does not name it.
fn by_name(owner: OwnerReference) -> (String, Value) {
    let name = format!("{} {}", owner.kind, owner.name);
    let group = group_of(&owner.api_version);
    let key = if group.is_empty() { name } else { format!("{name} ({group})") };
    let mut rest = serde_json::json!(owner);
    if let Value::Object(fields) = &mut rest {
        ["apiVersion", "kind", "name", "uid"].iter().for_each(|part| {
            fields.remove(*part);
        });
        fields.insert("named".to_owned(), true.into());
    }
    (key, rest)
}

fn walk(source: &Value, copy: &Value, path: String, difference: &mut Difference) {
    match (source, copy) {
        (Value::Object(a), Value::Object(b)) => walk_maps(a, b, &path, difference),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(a, b, format!("{path}[{index}]"), difference);
            }
        }
        _ if source == copy => {}
        _ => difference.lost.push(path),
    }
}

fn walk_maps(
    source: &Map<String, Value>,
    copy: &Map<String, Value>,
    path: &str,
    difference: &mut Difference,
) {
    let is_set = matches!(path, "metadata.finalizers" | "metadata.ownerReferences");
    let join = |key: &str| match path {
        "" => key.to_owned(),
        path if is_set => format!("{path}[{key}]"),
        path => format!("{path}.{key}"),
    };
    for (key, a) in source {
        match copy.get(key) {
            Some(b) => walk(a, b, join(key), difference),
            None if is_empty(a) => {}
            None => difference.lost.push(join(key)),
        }
    }
    let added = copy.iter().filter(|(key, value)| !source.contains_key(*key) && !is_empty(value));
    difference.added.extend(added.map(|(key, _)| join(key)));
}

/// Empty maps and lists are the same as none at all for an API server.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(spec: Value) -> Object {
        Object::new(
            json!({"kind": "Thing", "apiVersion": "g.io/v1", "metadata": {"name": "a", "uid": "1"},
                "spec": spec}),
        )
    }

    #[test]
    fn lost_changed_and_added_fields_are_distinguished() {
        let source = object(json!({"kept": 1, "changed": {"deep": [1, 2]}, "lost": true}));
        let copy = object(json!({"kept": 1, "changed": {"deep": [1, 3]}, "added": "x"}));
        let difference = compare(&source, &copy);
        assert_eq!(difference.lost, ["spec.changed.deep[1]", "spec.lost"]);
        assert_eq!(difference.added, ["spec.added"]);
    }

    #[test]
    fn fields_of_the_server_and_pauses_do_not_count() {
        let mut source =
            Object::new(json!({"kind": "Cluster", "apiVersion": "cluster.x-k8s.io/v1beta2",
            "metadata": {"name": "a", "uid": "1", "resourceVersion": "5", "ownerReferences":
                [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "x"}]},
            "spec": {"paused": true}, "status": {"phase": "Provisioned"}}));
        source.set_annotation(PAUSED_BY_ANNOTATION, "run");
        let copy = Object::new(json!({"kind": "Cluster", "apiVersion": "cluster.x-k8s.io/v1beta2",
            "metadata": {"name": "a", "uid": "2", "generation": 3, "ownerReferences":
                [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "y"}]}, "spec": {}}));
        assert!(is_same_content(&source, &copy), "{:?}", compare(&source, &copy));
    }

    #[test]
    fn pauses_of_deletions_do_not_count() {
        let release = |annotations: Value| {
            Object::new(
                json!({"kind": "HelmReleaseProxy", "apiVersion": "addons.cluster.x-k8s.io/v1alpha1",
                "metadata": {"name": "a", "annotations": annotations}}),
            )
        };
        let marked = release(json!({PAUSED_ANNOTATION: "", DELETE_FOR_MOVE_ANNOTATION: ""}));
        assert!(is_same_content(&marked, &release(json!({}))));
    }

    #[test]
    fn pauses_of_their_own_count_only_if_a_user_has_set_them() {
        let machine = |annotations: Value| {
            Object::new(json!({"kind": "FooMachine", "apiVersion": "infrastructure.io/v1",
                "metadata": {"name": "a", "annotations": annotations}}))
        };
        let plain = machine(json!({}));
        for mark in ["r", "r/reported"] {
            let paused = machine(json!({PAUSED_ANNOTATION: "", PAUSED_BY_ANNOTATION: mark}));
            assert!(is_same_content(&paused, &plain), "{mark}");
            assert_eq!(digest(&paused), digest(&plain), "{mark}");
        }
        assert!(!is_same_content(&machine(json!({PAUSED_ANNOTATION: ""})), &plain));
    }

    #[test]
    fn the_annotation_that_a_user_puts_on_a_cluster_counts() {
        let cluster = |annotations: Value| {
            Object::new(json!({"kind": "Cluster", "apiVersion": "cluster.x-k8s.io/v1beta2",
                "metadata": {"name": "a", "annotations": annotations}}))
        };
        let held = cluster(json!({PAUSED_ANNOTATION: ""}));
        assert!(!is_same_content(&held, &cluster(json!({}))));
    }

    #[test]
    fn finalizers_and_owners_are_sets() {
        let object = |finalizers: Value, owners: Value| {
            Object::new(json!({"metadata": {"finalizers": finalizers, "ownerReferences": owners}}))
        };
        let owner = |name: &str, version: &str| {
            json!({"apiVersion": version, "kind": "K",
            "name": name, "uid": "x"})
        };
        let source = object(json!(["a", "b"]), json!([owner("o", "g.io/v1"), owner("p", "v1")]));
        let copy = object(
            json!(["c", "b", "a"]),
            json!([owner("p", "v1"), owner("q", "v1"), owner("o", "g.io/v2")]),
        );
        let difference = compare(&source, &copy);
        assert_eq!(difference.lost, Vec::<String>::new());
        assert_eq!(difference.added, ["metadata.finalizers[c]", "metadata.ownerReferences[K q]"]);
        let fewer = object(json!(["b"]), json!([owner("o", "other.io/v1"), owner("p", "v1")]));
        assert_eq!(
            compare(&source, &fewer).lost,
            ["metadata.finalizers[a]", "metadata.ownerReferences[K o (g.io)]"]
        );
    }

    #[test]
    fn a_copy_is_inert_until_it_is_handed_over() {
        let object = |annotations: Value, finalizers: Value| {
            Object::new(json!({"kind": "Machine", "apiVersion": "cluster.x-k8s.io/v1beta2",
                "metadata": {"name": "m", "annotations": annotations, "finalizers": finalizers}}))
        };
        let source = object(json!({}), json!(["f"]));
        let born = object(json!({RUN_ANNOTATION: "r", PAUSED_ANNOTATION: "r"}), json!([]));
        assert!(is_same_content(&source, &born), "{:?}", compare(&source, &born));
        let with_its_own =
            object(json!({RUN_ANNOTATION: "r", PAUSED_ANNOTATION: "r"}), json!(["f"]));
        assert!(is_same_content(&source, &with_its_own), "its controller was faster");
        let handed_over = object(json!({}), json!(["f"]));
        assert!(is_same_content(&source, &handed_over));
        let still_paused = object(json!({PAUSED_ANNOTATION: ""}), json!([]));
        let difference = compare(&source, &still_paused);
        assert_eq!(difference.lost, ["metadata.finalizers[f]"]);
        assert_eq!(difference.added, ["metadata.annotations"]);
        let of_user = object(json!({PAUSED_ANNOTATION: ""}), json!(["f"]));
        let resumed = object(json!({RUN_ANNOTATION: "r"}), json!([]));
        assert!(!is_same_content(&of_user, &resumed));
        let held = object(json!({RUN_ANNOTATION: "r", PAUSED_ANNOTATION: ""}), json!([]));
        assert!(is_same_content(&of_user, &held));
        assert!(!is_same_content(&source, &held), "a pause of somebody else");
    }

    #[test]
    fn another_owner_counts() {
        let owned = |name: &str| {
            Object::new(json!({"metadata": {"ownerReferences":
            [{"apiVersion": "v1", "kind": "K", "name": name, "uid": "x"}]}}))
        };
        assert!(!is_same_content(&owned("a"), &owned("b")));
    }
}
