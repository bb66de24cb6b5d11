//! Objects without secrets.

use capi::at;
use serde_json::{Value, json};
use support::redact::REDACTED;

/// Names of fields, in small letters, of which a part makes their text secret.
const SECRET_WORDS: [&str; 8] = [
    "token",
    "password",
    "passwd",
    "privatekey",
    "clientsecret",
    "credential",
    "certificatekey",
    "kubeconfig",
];
/// Fields that hold the name or place of a secret, and no secret.
const NAMES: [&str; 4] = ["ref", "name", "path", "namespace"];
/// An annotation that repeats the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Takes secrets out of an object.
pub(super) fn scrub(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        let annotations = metadata.get_mut("annotations").and_then(Value::as_object_mut);
        annotations.and_then(|annotations| annotations.remove(LAST_APPLIED));
    }
    hide(&mut object);
    object
}

fn hide(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => {
            // A file of a machine, an environment variable of a container.
            let is_file = fields.contains_key("content") && fields.contains_key("path");
            let is_variable = fields.get("name").and_then(Value::as_str).is_some_and(is_secret);
            for (name, value) in fields.iter_mut() {
                let hides = is_secret(name)
                    || (is_file && name == "content")
                    || (is_variable && name == "value");
                match value {
                    Value::String(text) if hides && !text.is_empty() => *value = json!(REDACTED),
                    _ => hide(value),
                }
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !NAMES.iter().any(|ending| name.ends_with(ending))
}

/// Returns true if an object is nothing but secrets, or may hold some in any field.
pub(super) fn is_left_out(object: &Value) -> bool {
    matches!(at(object, "/kind").as_str(), Some("Secret" | "ConfigMap"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_machines_and_containers_are_taken_out() {
        let object = json!({
            "kind": "KubeadmConfig",
            "metadata": {"name": "a", "managedFields": [{}],
                "annotations": {LAST_APPLIED: "hunter2"}},
            "spec": {
                "joinConfiguration": {"discovery": {"bootstrapToken": {
                    "token": "hunter2", "apiServerEndpoint": "10.0.0.1:6443"}}},
                "files": [{"path": "/etc/a", "content": "hunter2"}],
                "users": [{"name": "me", "passwd": "hunter2"}],
                "containers": [{"env": [
                    {"name": "API_TOKEN", "value": "hunter2"}, {"name": "A", "value": "b"}]}],
                "clientSecret": "hunter2", "tokenSecretName": "the-secret",
            },
        });
        let scrubbed = scrub(object);
        assert!(!scrubbed.to_string().contains("hunter2"), "{scrubbed}");
        let spec = &scrubbed["spec"];
        let discovery = &spec["joinConfiguration"]["discovery"]["bootstrapToken"];
        assert_eq!(discovery["apiServerEndpoint"], "10.0.0.1:6443");
        assert_eq!(spec["containers"][0]["env"][1]["value"], "b");
        assert_eq!(spec["tokenSecretName"], "the-secret");
        assert!(is_left_out(&json!({"kind": "Secret"})) && !is_left_out(&json!({"kind": "Pod"})));
    }
}
