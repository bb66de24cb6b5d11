//! The Helm add-on provider as far as it can be had here: its two kinds, written from what its API says,
//! for a local repository of clusterctl, and whoever plays its controller.
//!
//! Its Go module cannot be had from the proxy of Go modules, so neither its own CRDs nor its manager.
//! The schemas are closed: a field that the API does not have is pruned, and a required one is missed.

use std::fs;
use std::path::Path;

use kubectl_pivot::capi::{Object, ResourceType};
use kubectl_pivot::cluster::{ApiError, Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

use crate::repository::{deployment, namespace_object, stream};

/// The version that is played.
pub const VERSION: &str = "v0.6.4";
/// The API of the provider.
pub const API_VERSION: &str = "addons.cluster.x-k8s.io/v1alpha1";

const LABEL: &str = "addon-helm";
const NAMESPACE: &str = "caaph-system";
const METADATA: &str = "apiVersion: clusterctl.cluster.x-k8s.io/v1alpha3\nkind: Metadata\n\
    releaseSeries:\n- {major: 0, minor: 6, contract: v1beta2}\n";
const OF_PROXY: &str = "helmreleaseproxy.addons.cluster.x-k8s.io/helmchartproxy-name";

/// A HelmChartProxy or HelmReleaseProxy.
pub fn kind(name: &str) -> ResourceType {
    let plural = match name {
        "HelmChartProxy" => "helmchartproxies",
        _ => "helmreleaseproxies",
    };
    ResourceType::new(API_VERSION, name, plural, true)
}

/// Writes the provider into a local repository, and returns its entry in `clusterctl.yaml`.
pub(crate) fn write(folder: &Path) -> Value {
    let place = folder.join(LABEL).join(VERSION);
    fs::create_dir_all(&place).expect("create folder");
    fs::write(place.join("metadata.yaml"), METADATA).expect("write");
    let file = place.join("addon-components.yaml");
    let objects =
        [namespace_object(NAMESPACE), deployment(NAMESPACE, LABEL), chart_proxy(), release_proxy()];
    fs::write(&file, stream(&objects)).expect("write");
    json!({"name": "helm", "type": "AddonProvider", "url": file})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn chart_proxy() -> Value {
    let labels = json!({"type": "object", "additionalProperties": text()});
    let spec = json!({
        "type": "object",
        "required": ["chartName", "clusterSelector", "repoURL"],
        "properties": {
            "clusterSelector": {"type": "object", "properties": {"matchLabels": labels}},
            "repoURL": text(), "chartName": text(), "version": text(), "namespace": text(),
            "releaseName": text(), "valuesTemplate": text(),
        },
    });
    let mut crd = crd("HelmChartProxy", spec);
    crd["metadata"]["labels"]["clusterctl.cluster.x-k8s.io/move-hierarchy"] = json!("true");
    crd
}

fn release_proxy() -> Value {
    let reference = json!({"type": "object", "properties":
        {"apiVersion": text(), "kind": text(), "name": text(), "namespace": text()}});
    let spec = json!({
        "type": "object",
        "required": ["chartName", "clusterRef", "namespace", "repoURL"],
        "properties": {
            "clusterRef": reference, "repoURL": text(), "chartName": text(), "version": text(),
            "namespace": text(), "releaseName": text(), "values": text(),
        },
    });
    crd("HelmReleaseProxy", spec)
}

fn crd(kind_name: &str, spec: Value) -> Value {
    let plural = kind(kind_name).plural;
    let condition = json!({
        "type": "object",
        "required": ["lastTransitionTime", "message", "reason", "status", "type"],
        "properties": {"type": text(), "status": text(), "reason": text(), "message": text(),
            "lastTransitionTime": {"type": "string", "format": "date-time"}},
    });
    let status = json!({"type": "object", "properties": {
        "conditions": {"type": "array", "items": condition},
        "observedGeneration": {"type": "integer", "format": "int64"},
    }});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.addons.cluster.x-k8s.io"),
            "labels": {"cluster.x-k8s.io/v1beta2": "v1alpha1"}},
        "spec": {
            "group": "addons.cluster.x-k8s.io",
            "names": {"kind": kind_name, "plural": plural, "listKind": format!("{kind_name}List"),
                "singular": kind_name.to_lowercase()},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object",
                    "properties": {"spec": spec, "status": status}}},
            }],
        },
    })
}

/// What the controller does first: the proxy's release for a cluster, as yet without a status.
///
/// # Errors
/// When a request fails.
pub async fn begin_release(
    client: &Client,
    proxy: &Object,
    cluster: &Object,
) -> Result<Object, ApiError> {
    let spec = &proxy.value()["spec"];
    let name = format!("{}-{}", proxy.name(), cluster.name());
    let release = json!({
        "apiVersion": API_VERSION, "kind": "HelmReleaseProxy",
        "metadata": {
            "name": name, "namespace": proxy.namespace(),
            "finalizers": ["helmreleaseproxy.addons.cluster.x-k8s.io"],
            "labels": {"cluster.x-k8s.io/cluster-name": cluster.name(), OF_PROXY: proxy.name()},
            "ownerReferences": [{"apiVersion": API_VERSION, "kind": "HelmChartProxy", "controller": true,
                "blockOwnerDeletion": true, "name": proxy.name(), "uid": proxy.uid()}],
        },
        "spec": {
            "clusterRef": {"apiVersion": cluster.api_version(), "kind": "Cluster",
                "name": cluster.name(), "namespace": cluster.namespace()},
            "repoURL": spec["repoURL"], "chartName": spec["chartName"], "version": spec["version"],
            "namespace": spec["namespace"], "releaseName": spec["releaseName"],
            "values": spec["valuesTemplate"],
        },
    });
    client
        .create(&kind("HelmReleaseProxy"), &Object::new(release), &WriteOptions::manager("caaph"))
        .await
}

/// What the controller reports: a condition, and Ready after it.
///
/// # Errors
/// When the request fails.
pub async fn report(
    client: &Client,
    object: &Object,
    (name, status, reason, message): (&str, &str, &str, &str),
) -> Result<(), ApiError> {
    let condition = |kind: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    let status = json!({"status": {
        "observedGeneration": object.value()["metadata"]["generation"],
        "conditions": [condition("Ready", ""), condition(name, message)],
    }});
    let place = (object.namespace(), object.name());
    let options = WriteOptions::manager("caaph").status();
    client.patch(&kind(object.kind()), place, (PatchKind::Merge, &status), &options).await.map(drop)
}
