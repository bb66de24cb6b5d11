//! Makes a control plane a management cluster in the eyes of clusterctl: CRDs, namespaces,
//! inventory.

use std::path::Path;
use std::time::Instant;

use capi::ResourceType;
use capi::names::{CLUSTERCTL_LABEL, PROVIDER_LABEL};
use futures::future::try_join;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::crds;
use super::error::ControlPlaneError;
use super::http::{CallError, Http, YOUNG_SERVER_RETRY_INTERVAL, YOUNG_SERVER_TIMEOUT};
use super::release::Release;

/// Calls in flight at once.
const IN_FLIGHT: usize = 8;
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const PROVIDERS: &str = "/apis/clusterctl.cluster.x-k8s.io/v1alpha3";

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
    let http =
        Http::new(kubeconfig).await.map_err(during(|| format!("read {}", kubeconfig.display())))?;
    let mut crds = crds::read(dir)?;
    // The inventory's CRD first: for two seconds after a CRD is established, the API server delays
    // the creation of its objects, which can pass while the other kinds are set up.
    crds.sort_by_key(|crd| crd["spec"]["group"] != "clusterctl.cluster.x-k8s.io");
    each(&crds, |crd| create(&http, CRDS, crd)).await?;
    try_join(each(&crds, |crd| served(&http, crd)), fill_inventory(&http, release)).await?;
    named(&http, &crds).await
}

async fn fill_inventory(http: &Http, release: &Release) -> Result<(), ControlPlaneError> {
    each(&INVENTORY, |&(namespace, label, name, kind)| async move {
        create(http, "/api/v1/namespaces", &namespace_object(namespace, label)).await?;
        let path = format!("{PROVIDERS}/namespaces/{namespace}/providers");
        let mut provider = provider_object(namespace, label, name, kind);
        provider["version"] = release.to_string().into();
        create(http, &path, &provider).await
    })
    .await
}

/// Creates objects of one kind; those that exist are left alone.
pub(super) async fn create_all(
    http: &Http,
    path: &str,
    objects: &[Value],
) -> Result<(), ControlPlaneError> {
    each(objects, |object| create(http, path, object)).await
}

/// Changes an installed CRD by a merge patch.
pub(super) async fn set_up(
    http: &Http,
    crd: &Value,
    patch: &Value,
) -> Result<(), ControlPlaneError> {
    let name = text(&crd["metadata"]["name"]);
    let describe = || format!("change CustomResourceDefinition {name}");
    http.patch(&format!("{CRDS}/{name}"), patch).await.map_err(during(describe))
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

async fn create(http: &Http, path: &str, object: &Value) -> Result<(), ControlPlaneError> {
    let describe =
        || format!("create {} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
    http.create(path, object).await.map_err(during(describe))
}

/// Lists a kind at each of its served versions: what answers that is established and initialised.
pub(super) async fn served(http: &Http, crd: &Value) -> Result<(), ControlPlaneError> {
    for resource in served_versions(crd) {
        let path = format!("{}?limit=1", resource.collection(None));
        http.get(&path).await.map_err(during(|| format!("list {path}")))?;
    }
    Ok(())
}

/// Waits until discovery names every served version of the kinds. It does so a while after they can
/// be listed, and a controller that starts in between finds its own kinds missing and ends.
pub(super) async fn named(http: &Http, crds: &[Value]) -> Result<(), ControlPlaneError> {
    let wanted: Vec<ResourceType> = crds.iter().flat_map(served_versions).collect();
    let deadline = Instant::now() + YOUNG_SERVER_TIMEOUT;
    loop {
        let served = http.served().await.map_err(during(|| "ask what is served".to_owned()))?;
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
