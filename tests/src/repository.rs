//! A local repository of providers for the real clusterctl: Cluster API's own CRDs, a Deployment
//! for each provider, and on request their webhooks. cert-manager is two CRDs: whoever runs the
//! providers certifies what they serve.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::yaml;

use crate::addon;

/// Version of all providers.
pub const VERSION: &str = "v1.14.2";

/// Folder of the CRDs, name and type for clusterctl, namespace, file.
const PROVIDERS: [(&str, &str, &str, &str, &str); 4] = [
    ("cluster-api", "cluster-api", "CoreProvider", "capi-system", "core-components.yaml"),
    (
        "bootstrap-kubeadm",
        "kubeadm",
        "BootstrapProvider",
        "capi-kubeadm-bootstrap-system",
        "bootstrap-components.yaml",
    ),
    (
        "control-plane-kubeadm",
        "kubeadm",
        "ControlPlaneProvider",
        "capi-kubeadm-control-plane-system",
        "control-plane-components.yaml",
    ),
    (
        "infrastructure-docker",
        "docker",
        "InfrastructureProvider",
        "capd-system",
        "infrastructure-components.yaml",
    ),
];

const METADATA: &str = "apiVersion: clusterctl.cluster.x-k8s.io/v1alpha3\nkind: Metadata\n\
    releaseSeries:\n- {major: 1, minor: 14, contract: v1beta2}\n";

/// Writes the repository below `folder` and returns the path of its `clusterctl.yaml`.
///
/// # Panics
/// When a file cannot be read or written.
pub async fn write(folder: &Path, crds: &Path) -> PathBuf {
    write_with(folder, crds, |_| Vec::new()).await
}

/// As [`write()`], with the webhook configurations of a folder, as providers are released with
/// them.
///
/// # Panics
/// When a file cannot be read or written.
pub async fn write_with_webhooks(folder: &Path, crds: &Path, webhooks: &Path) -> PathBuf {
    write_with(folder, crds, |label| {
        let path = webhooks.join(format!("{label}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).expect("a list in JSON")
    })
    .await
}

async fn write_with(folder: &Path, crds: &Path, more: impl Fn(&str) -> Vec<Value>) -> PathBuf {
    let mut providers = Vec::new();
    for (label, name, kind, namespace, file) in PROVIDERS {
        let place = folder.join(label).join(VERSION);
        fs::create_dir_all(&place).expect("create folder");
        fs::write(place.join("metadata.yaml"), METADATA).expect("write");
        let mut objects = vec![namespace_object(namespace), deployment(namespace, label)];
        objects.extend(read_crds(&crds.join(label)));
        objects.extend(more(label));
        fs::write(place.join(file), stream(&objects)).expect("write");
        providers.push(json!({"name": name, "type": kind, "url": place.join(file)}));
    }
    providers.push(addon::write(folder).await);
    let place = folder.join("cert-manager").join("v1.21.2");
    fs::create_dir_all(&place).expect("create folder");
    let objects = [namespace_object("cert-manager"), cert_crd("Issuer"), cert_crd("Certificate")];
    fs::write(place.join("cert-manager.yaml"), stream(&objects)).expect("write");
    let url = place.join("cert-manager.yaml");
    let config = json!({
        "providers": providers,
        "cert-manager": {"url": url, "version": "v1.21.2", "timeout": "2m"},
    });
    let path = folder.join("clusterctl.yaml");
    fs::write(&path, yaml::document(&config)).expect("write");
    path
}

pub(crate) fn stream(objects: &[Value]) -> String {
    objects.iter().map(|object| format!("---\n{object}\n")).collect()
}

fn read_crds(folder: &Path) -> Vec<Value> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let texts = entries.map(|entry| fs::read_to_string(entry.expect("readable").path()));
    texts.map(|text| serde_json::from_str(&text.expect("readable")).expect("JSON")).collect()
}

pub(crate) fn namespace_object(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// Named as the real ones are: the probes of plugins look for them.
pub(crate) fn deployment(namespace: &str, label: &str) -> Value {
    let prefix = namespace.trim_end_matches("-system");
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": format!("{prefix}-controller-manager"), "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": label}},
            "template": {
                "metadata": {"labels": {"app": label}},
                "spec": {"containers": [{"name": "manager",
                    "image": format!("images.invalid/{label}:{VERSION}")}]},
            },
        },
    })
}

fn cert_crd(kind: &str) -> Value {
    let plural = format!("{}s", kind.to_lowercase());
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.cert-manager.io")},
        "spec": {
            "group": "cert-manager.io",
            "names": {"kind": kind, "plural": plural, "listKind": format!("{kind}List"),
                "singular": kind.to_lowercase()},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object",
                    "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })
}
