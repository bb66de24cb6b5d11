//! Providers without clusterctl's inventory: the operator of Cluster API, Helm and plain manifests
//! install them without it. Their Deployments have the label of the manifests they come from.

use capi::names::PROVIDER_LABEL;
use capi::{Object, ResourceType};
use cluster::{ApiError, Client};
use semver::Version;

use super::inventory::Provider;

/// The types of providers, as labels begin; the core provider's is `cluster-api`.
const TYPES: [(&str, &str); 6] = [
    ("bootstrap-", "BootstrapProvider"),
    ("control-plane-", "ControlPlaneProvider"),
    ("infrastructure-", "InfrastructureProvider"),
    ("ipam-", "IPAMProvider"),
    ("runtime-extension-", "RuntimeExtensionProvider"),
    ("addon-", "AddonProvider"),
];

/// Returns the providers by their Deployments; none for a user who may not list these.
pub(super) async fn read(cluster: &Client) -> Result<Vec<Provider>, ApiError> {
    let deployments = ResourceType::new("apps/v1", "Deployment", "deployments", true);
    let mut found: Vec<Provider> = Vec::new();
    let listed = match cluster.list_selected(&deployments, None, PROVIDER_LABEL).await {
        Err(error) if error.is_forbidden() || error.is_not_found() => Vec::new(),
        listed => listed?,
    };
    for provider in listed.iter().filter_map(of_deployment) {
        if !found.iter().any(|other| (&other.kind, &other.name) == (&provider.kind, &provider.name))
        {
            found.push(provider);
        }
    }
    Ok(found)
}

fn of_deployment(deployment: &Object) -> Option<Provider> {
    let (kind, name) = type_of(deployment.label(PROVIDER_LABEL)?)?;
    Some(Provider {
        name: name.to_owned(),
        kind: kind.to_owned(),
        version: version(deployment).unwrap_or_default(),
        namespace: deployment.namespace().unwrap_or_default().to_owned(),
        is_recorded: false,
    })
}

fn type_of(label: &str) -> Option<(&'static str, &str)> {
    if label == "cluster-api" {
        return Some(("CoreProvider", label));
    }
    TYPES.iter().find_map(|(prefix, kind)| Some((*kind, label.strip_prefix(prefix)?)))
}

/// The version that a tag among its images has.
fn version(deployment: &Object) -> Option<String> {
    let containers = deployment.value().pointer("/spec/template/spec/containers")?.as_array()?;
    containers.iter().find_map(|container| {
        let image = container.get("image")?.as_str()?;
        let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
        Version::parse(tag.strip_prefix('v')?).ok().map(|_| tag.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(label: &str, image: &str) -> Object {
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "namespace": "system", "labels": {PROVIDER_LABEL: label}},
            "spec": {"template": {"spec": {"containers": [{"image": "proxy"},
                {"image": image}]}}}}))
    }

    #[test]
    fn a_deployment_says_which_provider_it_runs_and_at_which_version() {
        for (label, image, kind, name, version) in [
            ("cluster-api", "registry:5000/core:v1.14.2", "CoreProvider", "cluster-api", "v1.14.2"),
            (
                "infrastructure-docker",
                "capd:v1.14.2@sha256:ab",
                "InfrastructureProvider",
                "docker",
                "v1.14.2",
            ),
            ("control-plane-kubeadm", "kcp@sha256:ab", "ControlPlaneProvider", "kubeadm", ""),
            ("bootstrap-kubeadm", "registry:5000/b:latest", "BootstrapProvider", "kubeadm", ""),
        ] {
            let found = of_deployment(&deployment(label, image)).expect(label);
            let expected = (kind, name, version, "system");
            assert_eq!((&*found.kind, &*found.name, &*found.version, &*found.namespace), expected);
        }
        assert!(of_deployment(&deployment("something", "a:v1.0.0")).is_none());
    }
}
