//! Waiting until an API server calls the webhooks that are registered with it.
//!
//! It learns of them in its own time, and lets objects pass unchecked until then. The check creates
//! a Machine in dry-run, which nothing but webhooks can see.

use std::time::{Duration, Instant};

use capi::names::CLUSTER_NAME_LABEL;
use capi::{Object, ResourceType};
use cluster::WriteOptions;
use serde_json::{Value, json};

use crate::error::ControlPlaneError;
use crate::young_server::YoungServer;

const EFFECT_TIMEOUT: Duration = Duration::from_secs(60);
const API_VERSION: &str = "cluster.x-k8s.io/v1beta2";
const EFFECT_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Waits until webhooks set defaults and refuse what is wrong.
pub(super) async fn wait(server: &YoungServer) -> Result<(), ControlPlaneError> {
    let sets_defaults = |answer: Result<Value, String>| match answer {
        Ok(machine) if machine["metadata"]["labels"][CLUSTER_NAME_LABEL].is_string() => Ok(()),
        Ok(_) => Err("the object passed without defaults".to_owned()),
        Err(message) => Err(message),
    };
    until(server, &machine("v1.36.0"), sets_defaults).await?;
    let refuses = |answer: Result<Value, String>| match answer {
        Err(message) if message.contains("denied the request") => Ok(()),
        Ok(_) => Err("a wrong object passed".to_owned()),
        Err(message) => Err(message),
    };
    until(server, &machine("none"), refuses).await
}

async fn until(
    server: &YoungServer,
    object: &Value,
    judge: impl Fn(Result<Value, String>) -> Result<(), String>,
) -> Result<(), ControlPlaneError> {
    let deadline = Instant::now() + EFFECT_TIMEOUT;
    let (server, object) = (server.once(), Object::new(object.clone()));
    let kind = ResourceType::new(API_VERSION, "Machine", "machines", true);
    loop {
        let answer = server.create(&kind, &object, &WriteOptions::dry_run()).await;
        let answer = answer.map(Object::into_value).map_err(|error| error.cause.to_string());
        let Err(message) = judge(answer) else { return Ok(()) };
        if Instant::now() > deadline {
            let action = "have the webhooks of Cluster API called".to_owned();
            return Err(ControlPlaneError::Setup { action, message });
        }
        tokio::time::sleep(EFFECT_CHECK_INTERVAL).await;
    }
}

fn machine(version: &str) -> Value {
    json!({
        "apiVersion": API_VERSION,
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
