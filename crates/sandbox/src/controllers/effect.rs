//! Waiting until an API server calls the webhooks that are registered with it.
//!
//! It learns of them in its own time, and lets objects pass unchecked until then. The check creates
//! a Machine in dry-run, which nothing but webhooks can see.

use std::time::{Duration, Instant};

use capi::names::CLUSTER_NAME_LABEL;
use serde_json::{Value, json};

use crate::error::ControlPlaneError;
use crate::http::Http;

const EFFECT_TIMEOUT: Duration = Duration::from_secs(60);
const EFFECT_CHECK_INTERVAL: Duration = Duration::from_millis(50);
const MACHINES: &str = "/apis/cluster.x-k8s.io/v1beta2/namespaces/default/machines?dryRun=All";

/// Waits until webhooks set defaults and refuse what is wrong.
pub(super) async fn wait(http: &Http) -> Result<(), ControlPlaneError> {
    let sets_defaults = |answer: Result<Value, String>| match answer {
        Ok(machine) if machine["metadata"]["labels"][CLUSTER_NAME_LABEL].is_string() => Ok(()),
        Ok(_) => Err("the object passed without defaults".to_owned()),
        Err(message) => Err(message),
    };
    until(http, &machine("v1.36.0"), sets_defaults).await?;
    let refuses = |answer: Result<Value, String>| match answer {
        Err(message) if message.contains("denied the request") => Ok(()),
        Ok(_) => Err("a wrong object passed".to_owned()),
        Err(message) => Err(message),
    };
    until(http, &machine("none"), refuses).await
}

async fn until(
    http: &Http,
    object: &Value,
    judge: impl Fn(Result<Value, String>) -> Result<(), String>,
) -> Result<(), ControlPlaneError> {
    let deadline = Instant::now() + EFFECT_TIMEOUT;
    while let Err(message) = judge(http.post_once(MACHINES, object).await.map_err(|error| error.0))
    {
        if Instant::now() > deadline {
            let action = "have the webhooks of Cluster API called".to_owned();
            return Err(ControlPlaneError::Setup { action, message });
        }
        tokio::time::sleep(EFFECT_CHECK_INTERVAL).await;
    }
    Ok(())
}

fn machine(version: &str) -> Value {
    json!({
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Machine",
        "metadata": {"name": "webhook-check", "namespace": "default"},
        "spec": {
            "clusterName": "webhook-check",
            "version": version,
            "bootstrap": {"dataSecretName": "none"},
            "infrastructureRef": {
                "apiGroup": "infrastructure.cluster.x-k8s.io",
                "kind": "DevMachine",
                "name": "none",
            },
        },
    })
}
