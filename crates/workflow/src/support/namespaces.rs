//! Namespaces of the objects that are to be applied.

use capi::well_known;
use cluster::Client;
use serde_json::Value;

use crate::error::StepError;

/// Fails if an object is to go into a namespace that is neither there nor among the objects before
/// it.
pub(crate) async fn refuse_missing_namespaces(
    cluster: &Client,
    objects: &[Value],
) -> Result<(), StepError> {
    let kind = well_known::namespace();
    let mut known: Vec<&str> = Vec::new();
    for object in objects {
        if object["apiVersion"] == "v1" && object["kind"] == "Namespace" {
            known.extend(object["metadata"]["name"].as_str());
            continue;
        }
        let Some(namespace) = object["metadata"]["namespace"].as_str() else { continue };
        if known.contains(&namespace) {
            continue;
        }
        if cluster.get(&kind, None, namespace).await?.is_none() {
            return Err(missing(object, namespace, cluster.name()));
        }
        known.push(namespace);
    }
    Ok(())
}

fn missing(object: &Value, namespace: &str, cluster: &str) -> StepError {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    StepError::refused(
        format!(
            "the {cluster} cluster has no namespace `{namespace}`, in which {} {} is to be",
            text(&object["kind"]),
            text(&object["metadata"]["name"])
        ),
        "put a Namespace of this name before it in the manifests, or change its namespace",
    )
}
