//! A Kubernetes object exactly as the API server sent it.
//!
//! Kept as JSON and not as typed structs, so that a field this program has never heard of still
//! reaches the other cluster. No defaults, no conversion.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::field::at;

/// A Kubernetes object as JSON, with accessors for the parts of `metadata` a move needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(Value);

/// Fields that the API server of one cluster has written into `metadata`, and that mean nothing in
/// another.
///
/// `generateName` is among it: with it, an API server answers a name clash with a time-out.
const SERVER_FIELDS: [&str; 9] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "generateName",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// One entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// Group and version of the owner, for example `cluster.x-k8s.io/v1beta2`.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner, in the namespace of the object (or cluster-scoped).
    pub name: String,
    /// UID of the owner.
    pub uid: String,
    /// True if the owner is the managing controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    /// True if the garbage collector holds back the deletion of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
}

/// Names an object for a human: kind, namespace (unless cluster-scoped) and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ObjectId {
    /// Group and version, for example `cluster.x-k8s.io/v1beta2` or `v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// Kind, for example `Machine`.
    pub kind: String,
    /// Namespace of the object; absent if it is cluster-scoped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: String,
}

impl ObjectId {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        group_of(&self.api_version)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {}/{}", self.kind, namespace, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// The group of an `apiVersion`; empty for the core group.
pub fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

impl Object {
    /// Wraps JSON. Accessors of absent fields return empty values.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The JSON.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The value at a path of fields, such as `/spec/paused`; null if it is not there.
    pub fn at(&self, path: &str) -> &Value {
        at(&self.0, path)
    }

    /// The JSON, to change it.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.0
    }

    /// The JSON, owned.
    pub fn into_value(self) -> Value {
        self.0
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.at("/apiVersion").as_str().unwrap_or_default()
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.at("/kind").as_str().unwrap_or_default()
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        group_of(self.api_version())
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata_str("name").unwrap_or_default()
    }

    /// `metadata.namespace`; `None` for cluster-scoped objects.
    pub fn namespace(&self) -> Option<&str> {
        self.metadata_str("namespace").filter(|namespace| !namespace.is_empty())
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata_str("uid").unwrap_or_default()
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.metadata_str("resourceVersion").unwrap_or_default()
    }

    /// Returns whether the object is being deleted.
    pub fn is_being_deleted(&self) -> bool {
        self.metadata_str("deletionTimestamp").is_some()
    }

    /// Kind, namespace and name.
    pub fn id(&self) -> ObjectId {
        ObjectId {
            api_version: self.api_version().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// The value of one label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("/metadata/labels").get(key)?.as_str()
    }

    /// The labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let labels = self.at("/metadata/labels").as_object().into_iter().flatten();
        labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// The value of one annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("/metadata/annotations").get(key)?.as_str()
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> Vec<&str> {
        let finalizers = self.at("/metadata/finalizers").as_array();
        finalizers.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// `metadata.ownerReferences`; an entry that is not a valid reference is left out.
    pub fn owner_references(&self) -> Vec<OwnerReference> {
        let references = self.at("/metadata/ownerReferences").as_array();
        references
            .into_iter()
            .flatten()
            .filter_map(|r| OwnerReference::deserialize(r).ok())
            .collect()
    }

    /// `metadata.managedFields`.
    pub fn managed_fields(&self) -> &[Value] {
        self.at("/metadata/managedFields").as_array().map_or(&[], Vec::as_slice)
    }

    /// `metadata` as a map, created when absent.
    pub fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        as_object(as_object(&mut self.0).entry("metadata").or_insert(Value::Null))
    }

    /// Removes from `metadata` what only means something in the cluster that the object is from.
    pub fn remove_server_fields(&mut self) {
        let metadata = self.metadata_mut();
        SERVER_FIELDS.iter().for_each(|field| {
            metadata.remove(*field);
        });
    }

    /// Sets the field at a path. Whatever is in its way and holds no fields is replaced.
    pub fn set_field(&mut self, path: &[&str], value: Value) {
        set_field(&mut self.0, path, value);
    }

    /// Sets one annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_field(&["metadata", "annotations", key], Value::from(value));
    }

    /// Removes one annotation, and the map when it was the last.
    pub fn remove_annotation(&mut self, key: &str) {
        let metadata = self.metadata_mut();
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(key);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }

    /// Fills in `apiVersion` and `kind`, which the items of a list may lack.
    pub fn set_type(&mut self, api_version: &str, kind: &str) {
        self.set_field(&["apiVersion"], Value::from(api_version));
        self.set_field(&["kind"], Value::from(kind));
    }

    fn metadata_str(&self, field: &str) -> Option<&str> {
        self.at("/metadata").get(field)?.as_str()
    }
}

/// Sets the field at a path of any JSON. Indexing would panic where a text stands in place of an
/// object.
pub fn set_field(value: &mut Value, path: &[&str], new: Value) {
    match path {
        [] => *value = new,
        [key, rest @ ..] => {
            let fields = as_object(value);
            set_field(fields.entry(*key).or_insert(Value::Null), rest, new);
        }
    }
}

fn as_object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("was just made an object")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_objects_the_way_kubectl_users_do() {
        let machine =
            Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Machine",
            "metadata": {"namespace": "default", "name": "c0-a"}}));
        assert_eq!(machine.id().to_string(), "Machine default/c0-a");
        assert_eq!(machine.group(), "cluster.x-k8s.io");
        let global = Object::new(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}),
        );
        assert_eq!(global.id().to_string(), "Namespace x");
        assert_eq!(global.group(), "");
    }

    #[test]
    fn the_last_annotation_takes_the_map_with_it() {
        let mut object = Object::new(json!({}));
        object.set_annotation("a", "1");
        assert_eq!(object.annotation("a"), Some("1"));
        object.remove_annotation("a");
        assert_eq!(object.value(), &json!({"metadata": {}}));
    }

    #[test]
    fn broken_objects_read_as_empty() {
        let object =
            Object::new(json!({"metadata": {"ownerReferences": [{"kind": 3}], "finalizers": "x"}}));
        assert_eq!(object.owner_references(), []);
        assert_eq!(object.finalizers(), Vec::<&str>::new());
        assert_eq!(object.name(), "");
    }

    #[test]
    fn a_text_in_place_of_fields_is_replaced_and_does_not_panic() {
        for foreign in [json!("text"), json!({"metadata": "text", "spec": ["text"]})] {
            let mut object = Object::new(foreign);
            object.set_annotation("a", "1");
            object.set_type("v1", "Secret");
            object.set_field(&["spec", "paused"], json!(true));
            assert_eq!(object.annotation("a"), Some("1"));
            assert_eq!(object.kind(), "Secret");
            assert_eq!(object.value()["spec"], json!({"paused": true}));
        }
    }
}
