//! Makes a control plane a management cluster in the eyes of clusterctl: CRDs, namespaces,
//! inventory.

use std::path::Path;
use std::time::Instant;

use capi::names::{CLUSTERCTL_LABEL, PROVIDER_LABEL};
use capi::{ResourceType, well_known};
use futures::future::try_join;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::crds;
use super::error::ControlPlaneError;
use super::release::Release;
use super::young_server::{
    CallError, YOUNG_SERVER_RETRY_INTERVAL, YOUNG_SERVER_TIMEOUT, YoungServer,
};

/// Calls in flight at once.
const IN_FLIGHT: usize = 8;

/// One entry of the inventory: namespace, name as in the provider label, short name, type.
const INVENTORY: [(&str, &str, &str, &str); 4] = [
    ("capi-system", "cluster-api", "cluster-api", "CoreProvider"),
    ("capi-kubeadm-bootstrap-system", "bootstrap-kubeadm", "kubeadm", "BootstrapProvider"),
    (
        "capi-kubeadm-control-plane-system",
        "control-plane-kubeadm",
        "kubeadm",
        "ControlPlaneProvider",
    ),
    ("capd-system", "infrastructure-docker", "docker", "InfrastructureProvider"),
];

/// Installs the CRDs of a release and clusterctl's inventory, and waits until every kind can be
/// listed.
pub(super) async fn install_cluster_api(
    kubeconfig: &Path,
    (dir, release): (&Path, &Release),
) -> Result<(), ControlPlaneError> {
    let server = YoungServer::of(kubeconfig)
        .await
        .map_err(during(|| format!("read {}", kubeconfig.display())))?;
    let mut crds = crds::read(dir)?;
    // The inventory's CRD first: for two seconds after a CRD is established, the API server delays
    // the creation of its objects, which can pass while the other kinds are set up.
    crds.sort_by_key(|crd| crd["spec"]["group"] != "clusterctl.cluster.x-k8s.io");
    create_all(&server, &well_known::crd(), &crds).await?;
    try_join(each(&crds, |crd| served(&server, crd)), fill_inventory(&server, release)).await?;
    named(&server, &crds).await
}

async fn fill_inventory(server: &YoungServer, release: &Release) -> Result<(), ControlPlaneError> {
    each(&INVENTORY, |&(namespace, label, name, kind)| async move {
        create(server, &well_known::namespace(), &namespace_object(namespace, label)).await?;
        let mut provider = provider_object(namespace, label, name, kind);
        provider["version"] = release.to_string().into();
        create(server, &well_known::provider(), &provider).await
    })
    .await
}

/// Creates objects of one kind; those that exist are left alone.
pub(super) async fn create_all(
    server: &YoungServer,
    kind: &ResourceType,
    objects: &[Value],
) -> Result<(), ControlPlaneError> {
    each(objects, |object| create(server, kind, object)).await
}

/// Changes an installed CRD by a merge patch.
pub(super) async fn set_up(
    server: &YoungServer,
    crd: &Value,
    patch: &Value,
) -> Result<(), ControlPlaneError> {
    let name = text(&crd["metadata"]["name"]);
    let describe = || format!("change CustomResourceDefinition {name}");
    server.patch(&well_known::crd(), name, patch).await.map_err(during(describe))
}

pub(super) async fn each<'a, T, F>(
    items: &'a [T],
    call: impl Fn(&'a T) -> F,
) -> Result<(), ControlPlaneError>
where
    F: Future<Output = Result<(), ControlPlaneError>>,
{
    stream::iter(items).map(Ok).try_for_each_concurrent(IN_FLIGHT, call).await
}

async fn create(
    server: &YoungServer,
    kind: &ResourceType,
    object: &Value,
) -> Result<(), ControlPlaneError> {
    let describe =
        || format!("create {} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
    server.create(kind, object).await.map_err(during(describe))
}

/// Lists a kind at each of its served versions: what answers that is established and initialised.
pub(super) async fn served(server: &YoungServer, crd: &Value) -> Result<(), ControlPlaneError> {
    for resource in served_versions(crd) {
        server.lists(&resource).await.map_err(during(|| format!("list {resource}")))?;
    }
    Ok(())
}

/// Waits until discovery names every served version of the kinds. It does so a while after they can
/// be listed, and a controller that starts in between finds its own kinds missing and ends.
pub(super) async fn named(server: &YoungServer, crds: &[Value]) -> Result<(), ControlPlaneError> {
    let wanted: Vec<ResourceType> = crds.iter().flat_map(served_versions).collect();
    let deadline = Instant::now() + YOUNG_SERVER_TIMEOUT;
    loop {
        let served = server.served().await.map_err(during(|| "ask what is served".to_owned()))?;
        let Some(missing) = wanted.iter().find(|resource| !served.has(resource)) else {
            return Ok(());
        };
        if Instant::now() > deadline {
            let action = format!("find {missing} in {} among what is served", missing.version);
            let message = format!("it was not named within {} s", YOUNG_SERVER_TIMEOUT.as_secs());
            return Err(ControlPlaneError::Setup { action, message });
        }
        tokio::time::sleep(YOUNG_SERVER_RETRY_INTERVAL).await;
    }
}

/// The kind of a CRD at each of its served versions.
fn served_versions(crd: &Value) -> Vec<ResourceType> {
    let spec = &crd["spec"];
    let versions = spec["versions"].as_array().into_iter().flatten();
    let served = versions.filter(|version| version["served"] == true);
    let resource = |version: &Value| {
        let api_version = format!("{}/{}", text(&spec["group"]), text(&version["name"]));
        let (kind, plural) = (text(&spec["names"]["kind"]), text(&spec["names"]["plural"]));
        ResourceType::new(&api_version, kind, plural, spec["scope"] == "Namespaced")
    };
    served.map(resource).collect()
}

fn namespace_object(namespace: &str, label: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": namespace, "labels": {
            PROVIDER_LABEL: label,
            CLUSTERCTL_LABEL: "",
        }},
    })
}

fn provider_object(namespace: &str, label: &str, name: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "clusterctl.cluster.x-k8s.io/v1alpha3",
        "kind": "Provider",
        "metadata": { "name": label, "namespace": namespace, "labels": {
            PROVIDER_LABEL: label,
            CLUSTERCTL_LABEL: "",
            "clusterctl.cluster.x-k8s.io/core": "inventory",
        }},
        "providerName": name,
        "type": kind,
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn during(action: impl FnOnce() -> String) -> impl FnOnce(CallError) -> ControlPlaneError {
    |error| ControlPlaneError::Setup { action: action(), message: error.0 }
}
