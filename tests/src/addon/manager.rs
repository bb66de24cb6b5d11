//! The simulated manager of the provider, with its webhooks. It writes the fields that the real
//! ones were seen to write.

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

/// The API of the provider.
pub const API_VERSION: &str = "addons.cluster.x-k8s.io/v1alpha1";
/// Set on a HelmReleaseProxy whose release has been deployed once.
pub const INSTALLED: &str =
    "helmreleaseproxy.addons.cluster.x-k8s.io/release-successfully-installed";

const MANAGER: &str = "manager";
const OF_PROXY: &str = "helmreleaseproxy.addons.cluster.x-k8s.io/helmchartproxy-name";

/// A HelmChartProxy or HelmReleaseProxy.
pub fn kind(name: &str) -> ResourceType {
    let plural = match name {
        "HelmChartProxy" => "helmchartproxies",
        _ => "helmreleaseproxies",
    };
    ResourceType::new(API_VERSION, name, plural, true)
}

/// The manager's result for a release.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// helm has failed and said this.
    Failed(&'a str),
    /// It is installed.
    Deployed,
}

/// The HelmChartProxy with what webhook and manager set as soon as they see it. The manager has not
/// seen the label of the Cluster yet: without any release it calls the proxy ready.
///
/// # Errors
/// When a request fails.
pub async fn accept(client: &Client, proxy: &Object) -> Result<Object, ApiError> {
    let patch = json!({
        "metadata": {"finalizers": ["helmchartproxy.addons.cluster.x-k8s.io"]},
        // The schema has defaults for what is below.
        "spec": {"options": {"timeout": "10m0s", "install": {}, "upgrade": {}}},
    });
    let proxy = change(client, proxy, &patch).await?;
    let conditions = vec![
        is_true("HelmReleaseProxySpecsUpToDate", "UpToDate"),
        is_true("HelmReleaseProxiesReady", "Ready"),
    ];
    report(client, &proxy, json!({}), conditions).await
}

/// The release of a proxy for a cluster, which is about to be installed.
///
/// # Errors
/// When a request fails.
pub async fn begin_release(
    client: &Client,
    proxy: &Object,
    cluster: &Object,
) -> Result<Object, ApiError> {
    let mut spec = proxy.value()["spec"].clone();
    let fields = spec.as_object_mut().expect("a spec is an object");
    fields.remove("clusterSelector");
    let values = fields.remove("valuesTemplate").unwrap_or_default();
    fields.insert("values".to_owned(), json!(rendered(values.as_str().unwrap_or_default())));
    fields.insert("clusterRef".to_owned(), reference(cluster));
    let chart = proxy.value()["spec"]["chartName"].as_str().unwrap_or_default();
    let release = json!({
        "apiVersion": API_VERSION, "kind": "HelmReleaseProxy",
        "metadata": {
            "generateName": format!("{chart}-{}-", cluster.name()), "namespace": proxy.namespace(),
            "labels": {"cluster.x-k8s.io/cluster-name": cluster.name(), OF_PROXY: proxy.name()},
            "ownerReferences": [{"apiVersion": API_VERSION, "kind": "HelmChartProxy",
                "controller": true,
                "blockOwnerDeletion": true, "name": proxy.name(), "uid": proxy.uid()}],
        },
        "spec": spec,
    });
    let options = WriteOptions::manager(MANAGER);
    let release = client.create(&kind("HelmReleaseProxy"), &Object::new(release), &options).await?;
    let message = format!("Helm release proxy '{}' is not updated yet", release.name());
    let conditions = vec![
        is_false("HelmReleaseProxySpecsUpToDate", "HelmReleaseProxySpecsUpdating", &message),
        is_true("HelmReleaseProxiesReady", "Ready"),
    ];
    report(client, proxy, json!({"matchingClusters": [reference(cluster)]}), conditions).await?;
    let finalizer = json!({"metadata":
        {"finalizers": ["helmreleaseproxy.addons.cluster.x-k8s.io"]}});
    let release = change(client, &release, &finalizer).await?;
    // The manager's own words.
    let preparing = "Preparing to to install Helm chart";
    let conditions = vec![is_false("HelmReleaseReady", "PreparingToHelmInstall", preparing)];
    report(client, &release, json!({}), conditions).await
}

/// Status that the manager reports of a release, on its HelmReleaseProxy and then on the
/// HelmChartProxy.
///
/// # Errors
/// When a request fails.
pub async fn end_release(
    client: &Client,
    proxy: &Object,
    release: &Object,
    outcome: Outcome<'_>,
) -> Result<(), ApiError> {
    let available = is_true("ClusterAvailable", "Available");
    let (status, ready) = match outcome {
        Outcome::Failed(why) => {
            (json!({}), is_false("HelmReleaseReady", "HelmInstallOrUpgradeFailed", why))
        }
        Outcome::Deployed => {
            let installed = json!({"metadata": {"annotations": {INSTALLED: "true"}}});
            change(client, release, &installed).await?;
            (json!({"status": "deployed", "revision": 1}), is_true("HelmReleaseReady", "Ready"))
        }
    };
    let release = report(client, release, status, vec![available, ready]).await?;
    let source = format!(" (sources: HelmReleaseProxy/{})", release.name());
    let mut of_all = release.value()["status"]["conditions"][0].clone();
    let told = match of_all["message"].as_str() {
        None | Some("") => source,
        Some(text) => format!("* HelmReleaseProxy {}:\n  {text}{source}", release.name()),
    };
    of_all["type"] = json!("HelmReleaseProxiesReady");
    of_all["message"] = json!(told);
    let conditions = vec![is_true("HelmReleaseProxySpecsUpToDate", "UpToDate"), of_all];
    report(client, proxy, json!({}), conditions).await.map(drop)
}

/// A template without anything in it but two braces that are to stay.
fn rendered(template: &str) -> String {
    template.replace(r#"{{"{{"}}"#, "{{")
}

fn reference(cluster: &Object) -> Value {
    json!({"apiVersion": cluster.api_version(), "kind": "Cluster", "name": cluster.name(),
        "namespace": cluster.namespace()})
}

fn is_true(kind: &str, reason: &str) -> Value {
    json!({"type": kind, "status": "True", "reason": reason, "message": ""})
}

fn is_false(kind: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": "False", "reason": reason, "message": message})
}

/// The summary of conditions, which has their words.
fn ready(conditions: &[Value]) -> Value {
    let told = |wanted: fn(&Value) -> bool| {
        let lines = conditions.iter().filter(|condition| wanted(condition)).map(|condition| {
            let text = |field: &str| condition[field].as_str().unwrap_or_default();
            format!("* {}: {}", text("type"), text("message"))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    match conditions.iter().all(|condition| condition["status"] == "True") {
        true => json!({"type": "Ready", "status": "True", "reason": "InfoReported",
            "message": told(|condition| condition["message"] != "")}),
        false => {
            is_false("Ready", "IssuesReported", &told(|condition| condition["status"] != "True"))
        }
    }
}

/// Writes a status with these conditions and their summary before them.
async fn report(
    client: &Client,
    object: &Object,
    mut status: Value,
    mut conditions: Vec<Value>,
) -> Result<Object, ApiError> {
    let place = (object.namespace(), object.name());
    let kind = kind(object.kind());
    let now = client.get(&kind, place.0, place.1).await?.expect("it is there");
    let generation = &now.value()["metadata"]["generation"];
    conditions.insert(0, ready(&conditions));
    for condition in &mut conditions {
        condition["observedGeneration"] = generation.clone();
        condition["lastTransitionTime"] = json!("2026-01-01T00:00:00Z");
    }
    status["observedGeneration"] = generation.clone();
    status["conditions"] = json!(conditions);
    let options = WriteOptions::manager(MANAGER).status();
    let patch = json!({"status": status});
    client.patch(&kind, place, (PatchKind::Merge, &patch), &options).await
}

async fn change(client: &Client, object: &Object, patch: &Value) -> Result<Object, ApiError> {
    let place = (object.namespace(), object.name());
    let options = WriteOptions::manager(MANAGER);
    client.patch(&kind(object.kind()), place, (PatchKind::Merge, patch), &options).await
}
