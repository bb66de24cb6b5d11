//! Kubernetes objects, as kubectl reads them.

use serde_json::{Value, json};
use support::{visible, yaml};

/// One YAML document for each object.
pub fn yaml_objects(objects: &[Value]) -> String {
    yaml::stream(objects)
}

/// One JSON document with all objects, which `kubectl apply -f -` reads.
pub fn json_objects(objects: &[Value]) -> String {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    visible::json(&format!("{list:#}\n"))
}
