//! Objects without known secrets.

use capi::at;
use serde_json::{Map, Value, json};
use support::redact::{REDACTED, is_secret_variable};

/// Names of fields, in small letters, of which a part makes their text secret.
const SECRET_WORDS: [&str; 10] = [
    "apikey",
    "secretkey",
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
/// Objects about tokens, of which only some fields are secret.
const ABOUT_TOKENS: [&str; 3] = ["bootstrapToken", "bootstrapTokens", "serviceAccountToken"];
/// Texts with values of charts, which may hold any secret of the user.
const VALUES: [&str; 2] = ["valuesTemplate", "values"];
/// Fields in which users write for machines and for kind, with secrets that they need there.
const OF_USERS: [&str; 6] = [
    "preKubeadmCommands",
    "postKubeadmCommands",
    "bootCommands",
    "additionalConfig",
    "containerdConfigPatches",
    "containerdConfigPatchesJSON6902",
];
/// Fields of a reference to a secret.
const OF_REFERENCES: [&str; 5] = ["apiVersion", "kind", "name", "namespace", "key"];
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
            let is_secret_name = |name: &str| is_secret(name) || is_secret_variable(name);
            let is_variable =
                fields.get("name").and_then(Value::as_str).is_some_and(is_secret_name);
            for (name, value) in fields.iter_mut() {
                let hides = is_secret(name)
                    || OF_USERS.contains(&name.as_str())
                    || (VALUES.contains(&name.as_str()) && value.is_string())
                    || (is_file && name == "content")
                    || (is_variable && name == "value");
                if hides { hide_all(value) } else { hide(value) }
            }
        }
        _ => {}
    }
}

/// Hides everything below a secret name; what is switched on or off is no secret.
fn hide_all(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_all),
        Value::Object(fields) if is_reference(fields) => {}
        Value::Object(fields) => fields.values_mut().for_each(hide_all),
        Value::String(text) if text.is_empty() => {}
        Value::String(_) | Value::Number(_) => *value = json!(REDACTED),
        Value::Bool(_) | Value::Null => {}
    }
}

/// Only says where a secret is.
fn is_reference(fields: &Map<String, Value>) -> bool {
    fields.contains_key("name") && fields.keys().all(|name| OF_REFERENCES.contains(&name.as_str()))
}

fn is_secret(field: &str) -> bool {
    let name: String = field.chars().filter(char::is_ascii_alphanumeric).collect();
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !NAMES.iter().any(|ending| name.ends_with(ending))
        && !ABOUT_TOKENS.contains(&field)
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
    #[test]
    fn values_of_charts_and_texts_of_users_are_taken_out() {
        let object = json!({
            "spec": {
                "valuesTemplate": "login: hunter2", "values": "login: hunter2",
                "preKubeadmCommands": ["curl -u me:hunter2 x"],
                "postKubeadmCommands": ["hunter2"],
                "selector": {"matchExpressions": [{"key": "a", "values": ["b"]}]},
            },
            "containerdConfigPatches": ["hunter2"],
        });
        let scrubbed = scrub(object);
        assert!(!scrubbed.to_string().contains("hunter2"), "{scrubbed}");
        assert_eq!(scrubbed["spec"]["selector"]["matchExpressions"][0]["values"][0], "b");
    }

    #[test]
    fn everything_below_a_secret_name_is_taken_out() {
        let object = json!({
            "env": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "hunter2"},
                {"name": "SECRET_KEY_BASE", "value": "hunter2"}],
            "variables": [{"name": "password", "value": {"a": ["hunter2", 4711]}}],
            "credentials": {"a": {"b": "hunter2", "pin": 4711}, "enabled": true},
            "clientSecret": {"name": "the-secret", "namespace": "its"},
            "volumes": [{"serviceAccountToken": {"expirationSeconds": 3607}}],
        });
        let scrubbed = scrub(object);
        let text = scrubbed.to_string();
        assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
        assert_eq!(scrubbed["clientSecret"]["name"], "the-secret");
        assert_eq!(scrubbed["credentials"]["enabled"], true);
        assert_eq!(scrubbed["volumes"][0]["serviceAccountToken"]["expirationSeconds"], 3607);
    }
}
