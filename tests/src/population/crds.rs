//! Kinds of our own, one for each way in which a CRD can take part in a move; and those of the Helm
//! add-on provider, which a move pauses itself.

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, WriteOptions};
use serde_json::{Value, json};

use crate::addon;

/// API group of these kinds.
pub const GROUP: &str = "proof.kubectl-pivot.io";
/// `apiVersion` of these kinds.
pub const API_VERSION: &str = "proof.kubectl-pivot.io/v1";
/// Label of CRDs that a move discovers.
pub const DISCOVERED: &str = "clusterctl.cluster.x-k8s.io";
/// Label of CRDs and objects that are moved whoever owns them.
pub const MOVE: &str = "clusterctl.cluster.x-k8s.io/move";
/// Label of CRDs and objects that are moved with everything they own.
pub const MOVE_HIERARCHY: &str = "clusterctl.cluster.x-k8s.io/move-hierarchy";

/// Cluster-scoped, discovered, moved with its hierarchy: credentials shared by clusters.
pub const GLOBAL_IDENTITY: &str = "GlobalIdentity";
/// Discovered, moved with its hierarchy.
pub const HOLDER: &str = "Holder";
/// Discovered and moved.
pub const WIDGET: &str = "Widget";
/// Discovered, moved only with an owner that moves or by a label of its own.
pub const GADGET: &str = "Gadget";
/// Not discovered.
pub const STRANGER: &str = "RelatedObject";

const KINDS: [(&str, &str, &str, &[&str]); 5] = [
    (GLOBAL_IDENTITY, "globalidentities", "Cluster", &[DISCOVERED, MOVE_HIERARCHY]),
    (HOLDER, "holders", "Namespaced", &[DISCOVERED, MOVE_HIERARCHY]),
    (WIDGET, "widgets", "Namespaced", &[DISCOVERED, MOVE]),
    (GADGET, "gadgets", "Namespaced", &[DISCOVERED]),
    (STRANGER, "strangers", "Namespaced", &[]),
];

/// Discovered and moved like a [`WIDGET`]; only [`install_solo`] installs it.
pub const SOLO: &str = "Solo";

/// Installs the kind that a cluster has and another one lacks.
///
/// # Errors
/// When the API server refuses it, or does not serve it in time.
pub async fn install_solo(client: &Client) -> Result<(), ApiError> {
    let solo = crd(SOLO, "solos", "Namespaced", &[DISCOVERED, MOVE]);
    client.create(&definitions(), &Object::new(solo), &WriteOptions::default()).await?;
    wait_served(client, &ResourceType::new(API_VERSION, SOLO, "solos", true)).await
}

/// Installs the others, and those of the Helm add-on provider, and waits until they are served.
///
/// # Errors
/// When the API server refuses one, or does not serve it in time.
pub async fn install(client: &Client) -> Result<(), ApiError> {
    let crds = definitions();
    for (kind, plural, scope, labels) in KINDS {
        client
            .create(&crds, &Object::new(crd(kind, plural, scope, labels)), &WriteOptions::default())
            .await?;
    }
    for crd in addon::installed().await {
        client.create(&crds, &Object::new(crd), &WriteOptions::default()).await?;
    }
    for (kind, plural, scope, _) in KINDS {
        wait_served(client, &ResourceType::new(API_VERSION, kind, plural, scope == "Namespaced"))
            .await?;
    }
    for kind in ["HelmChartProxy", "HelmReleaseProxy"] {
        wait_served(client, &addon::kind(kind)).await?;
    }
    Ok(())
}

fn definitions() -> ResourceType {
    ResourceType::new(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    )
}

async fn wait_served(client: &Client, kind: &ResourceType) -> Result<(), ApiError> {
    const TRIES: usize = 200;
    for attempt in 1.. {
        match client.list(kind, None).await {
            Ok(_) => break,
            Err(error) if attempt == TRIES => return Err(error),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
    Ok(())
}

fn crd(kind: &str, plural: &str, scope: &str, labels: &[&str]) -> Value {
    let labels: Value = labels.iter().map(|label| ((*label).to_owned(), Value::from(""))).collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}"), "labels": labels},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": {"type": "object",
                    "x-kubernetes-preserve-unknown-fields": true}},
            }}}],
        },
    })
}
