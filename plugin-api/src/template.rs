//! Clusters that a provider's own template makes, with the real `clusterctl`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A cluster template of a provider: the host has `clusterctl generate cluster` fill it in, and
/// treats the objects as if the plugin had rendered them. Since protocol 1.2.
///
/// The template comes from where clusterctl has it from: the provider's release, or the repository
/// that the user's `clusterctl.yaml` names. A plugin that plans one requires a host of 1.2
/// ([`requires_host`](crate::PluginInfo::requires_host)).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterctlTemplate {
    /// Name of the infrastructure provider in `clusterctl`, for example `aws`.
    pub provider: String,
    /// Version of the provider, for example `v2.13.0`. A version that the user gives the provider
    /// (`--provider`) is in its place.
    pub version: String,
    /// Flavour of the template. Empty: the default one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub flavour: String,
    /// Values of the template's variables. The host hands them to clusterctl in its environment,
    /// never in arguments. Others may be in the user's environment or `clusterctl.yaml`.
    pub variables: BTreeMap<String, String>,
    /// Changes to the objects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<TemplatePatch>,
}

/// A change to all generated objects of a kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct TemplatePatch {
    /// API group of the objects.
    pub group: String,
    /// Version of the objects whose fields the patch names. Empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Kind of the objects.
    pub kind: String,
    /// A JSON merge patch (RFC 7396): objects are merged, `null` removes a field.
    pub patch: Value,
}

impl TemplatePatch {
    /// A change to all objects of a kind, in whatever version they are.
    pub fn new(group: &str, kind: &str, patch: Value) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned(), patch, ..Self::default() }
    }

    /// Restricts the change to objects of a version.
    #[must_use]
    pub fn of_version(mut self, version: &str) -> Self {
        self.version = version.to_owned();
        self
    }

    /// Says that the change is for an object.
    pub fn is_for(&self, object: &Value) -> bool {
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        object["kind"] == self.kind
            && group == self.group
            && (self.version.is_empty() || self.version == version)
    }

    /// Changes an object.
    pub fn apply(&self, object: &mut Value) {
        merge_patch(object, &self.patch);
    }
}

/// A merge patch, as RFC 7396 has it.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge_patch(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Examples of the RFC.
    #[test]
    fn a_patch_merges_objects_and_null_removes() {
        for (before, patch, after) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut object = before.clone();
            merge_patch(&mut object, &patch);
            assert_eq!(object, after, "{before} {patch}");
        }
    }

    #[test]
    fn a_patch_is_for_a_kind_and_perhaps_a_version() {
        let object = json!({"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Cluster"});
        let patch = TemplatePatch::new("cluster.x-k8s.io", "Cluster", json!({}));
        assert!(patch.is_for(&object));
        assert!(patch.clone().of_version("v1beta1").is_for(&object));
        assert!(!patch.of_version("v1beta2").is_for(&object));
        assert!(!TemplatePatch::new("", "Cluster", json!({})).is_for(&object));
        assert!(
            TemplatePatch::new("", "Secret", json!({}))
                .is_for(&json!({"apiVersion": "v1", "kind": "Secret"}))
        );
    }
}
