//! The configuration of kind: what the plugin needs, in a configuration of the user.

use std::path::Path;

use serde_json::{Value, json};
use support::yaml;

use crate::error::StepError;

/// Merges what the plugin wants into the user's configuration: mounts into each node, settings of
/// the network where the user has none, the name of the cluster.
pub(crate) fn merged(path: &Path, wanted: Value) -> Result<Value, StepError> {
    let refused = |why: String| {
        StepError::refused(
            format!("cannot use the kind configuration {}: {why}", path.display()),
            "give one document of kind `Cluster` and apiVersion `kind.x-k8s.io/v1alpha4`",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let documents = yaml::documents(&text).map_err(|error| refused(error.to_string()))?;
    match documents.as_slice() {
        [own] if is_config(own) => Ok(merge(own.clone(), wanted)),
        _ => Err(refused("it is not one configuration of kind".to_owned())),
    }
}

fn is_config(document: &Value) -> bool {
    document["apiVersion"] == "kind.x-k8s.io/v1alpha4"
        && document["kind"] == "Cluster"
        && are_nodes(&document["nodes"])
        && (document["networking"].is_null() || document["networking"].is_object())
}

fn are_nodes(nodes: &Value) -> bool {
    let are_objects = |nodes: &Vec<Value>| nodes.iter().all(Value::is_object);
    nodes.is_null() || nodes.as_array().is_some_and(are_objects)
}

fn merge(mut own: Value, mut wanted: Value) -> Value {
    own["name"] = wanted["name"].take();
    let mounts = wanted.pointer("/nodes/0/extraMounts").cloned().unwrap_or_default();
    match own["nodes"].as_array_mut().filter(|nodes| !nodes.is_empty()) {
        Some(nodes) => nodes.iter_mut().for_each(|node| add_mounts(node, &mounts)),
        None => own["nodes"] = wanted["nodes"].take(),
    }
    for (name, value) in wanted["networking"].as_object().into_iter().flatten() {
        if own["networking"][name].is_null() {
            own["networking"][name] = value.clone();
        }
    }
    own
}

/// A mount of the user at the same place in the node wins.
fn add_mounts(node: &mut Value, mounts: &Value) {
    let place = |mount: &Value| mount["containerPath"].clone();
    let own = node["extraMounts"].as_array().cloned().unwrap_or_default();
    let missing = mounts.as_array().into_iter().flatten();
    let missing = missing.filter(|mount| own.iter().all(|own| place(own) != place(mount)));
    let all: Vec<Value> = own.iter().chain(missing).cloned().collect();
    if !all.is_empty() {
        node["extraMounts"] = json!(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Value {
        json!({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": "boot",
            "networking": {"ipFamily": "dual"},
            "nodes": [{"role": "control-plane",
                "extraMounts": [{"hostPath": "/s", "containerPath": "/s"}]}]})
    }

    fn merged_with(own: &str) -> Result<Value, StepError> {
        let dir = tempfile::tempdir().expect("temp dir");
        let path = dir.path().join("kind.yaml");
        std::fs::write(&path, own).expect("written");
        merged(&path, wanted())
    }

    const HEAD: &str = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n";

    #[test]
    fn the_user_decides_and_the_plugin_gets_its_mounts() {
        let own = format!(
            "{HEAD}name: mine\nfeatureGates: {{A: true}}\n\
             networking: {{ipFamily: ipv4, apiServerAddress: 10.0.0.7}}\n\
             nodes:\n- role: control-plane\n  extraMounts: [{{hostPath: /x, containerPath: /s}}]\n\
             - role: worker\n"
        );
        let merged = merged_with(&own).expect("it is one of kind");
        assert_eq!((&merged["name"], &merged["featureGates"]["A"]), (&json!("boot"), &json!(true)));
        assert_eq!(merged["networking"]["ipFamily"], "ipv4");
        assert_eq!(merged["networking"]["apiServerAddress"], "10.0.0.7");
        assert_eq!(
            merged["nodes"][0]["extraMounts"],
            json!([{"hostPath": "/x", "containerPath": "/s"}])
        );
        assert_eq!(
            merged["nodes"][1]["extraMounts"],
            json!([{"hostPath": "/s", "containerPath": "/s"}])
        );
    }

    #[test]
    fn without_nodes_of_the_user_there_are_those_of_the_plugin() {
        let expected = wanted();
        assert_eq!(merged_with(HEAD).expect("it is one of kind"), expected);
    }

    #[test]
    fn other_documents_are_refused() {
        for wrong in [
            "",
            "a: [\n",
            "kind: Cluster\n",
            &format!("{HEAD}nodes: 1\n"),
            &format!("{HEAD}nodes: [control-plane]\n"),
            &format!("{HEAD}nodes: [{{role: control-plane}}, 1]\n"),
            &format!("{HEAD}---\n{HEAD}"),
        ] {
            let error = merged_with(wrong).expect_err(wrong);
            assert!(error.to_string().contains("kind.yaml"), "{error}");
        }
        assert!(merged(Path::new("/no/such"), wanted()).is_err());
    }
}
