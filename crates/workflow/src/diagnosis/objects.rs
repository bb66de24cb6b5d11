//! One cluster: what its API server serves of Cluster API, its nodes and pods, its events, and the
//! records of moves.

use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, KubeconfigRef, RetryPolicy, Served};
use serde_json::Value;
use support::causes::in_one_line;
use support::yaml;

use super::archive::Archive;
use super::logs;
use super::scope::{self, Scope};
use super::scrub::{is_left_out, scrub};

/// Limit of one request: a cluster that does not answer is not asked for long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// The end of the name of each group of Cluster API and its providers.
const CLUSTER_API: &str = "cluster.x-k8s.io";

/// Adds a cluster. What cannot be read is said in the archive.
pub(super) async fn add(
    archive: &mut Archive,
    name: &str,
    kubeconfig: &KubeconfigRef,
    namespace: &str,
) {
    if let Err(error) = try_add(archive, name, kubeconfig, namespace).await {
        archive.add(&format!("{name}/incomplete.txt"), &error);
    }
}

async fn try_add(
    archive: &mut Archive,
    name: &str,
    kubeconfig: &KubeconfigRef,
    namespace: &str,
) -> Result<(), String> {
    let client = Client::connect(name, kubeconfig).await;
    let client = client.map_err(|error| in_one_line(&error))?.with_timeout(REQUEST_TIMEOUT);
    let client = client.with_retry(RetryPolicy { attempts: 1, ..RetryPolicy::brief() });
    let version = client.get_path("/version").await.map_err(|error| in_one_line(&error))?;
    let server =
        format!("{} at {}", version["gitVersion"].as_str().unwrap_or("?"), client.server());
    archive.add(&format!("{name}/version.txt"), &server);
    let mut failed = Vec::new();
    let scope = Scope::read(&client, namespace).await;
    for kind in kinds(&client).await.map_err(|error| in_one_line(&error))? {
        let listed = client.list(&kind, None).await;
        match listed.map(|objects| scope.narrow(&kind, objects)) {
            Ok(objects) if objects.is_empty() => {}
            Ok(objects) => {
                let path = format!("{name}/objects/{kind}.yaml");
                archive.add(&path, &documents(objects));
            }
            Err(error) => failed.push(in_one_line(&error)),
        }
    }
    match events(&client).await {
        Ok(events) => archive.add(&format!("{name}/events.txt"), &events),
        Err(error) => failed.push(in_one_line(&error)),
    }
    logs::add(archive, name, &client, &scope).await;
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// The kinds of Cluster API in the versions that are preferred, and those that nodes and providers
/// are made of.
async fn kinds(client: &Client) -> Result<Vec<ResourceType>, ApiError> {
    let served = Served::read(client).await?;
    let of_cluster_api = served.kinds().filter(|(group, ..)| group.ends_with(CLUSTER_API));
    let mut kinds: Vec<ResourceType> =
        of_cluster_api.filter_map(|(.., versions)| versions.first().cloned()).collect();
    kinds.sort_by_key(ToString::to_string);
    kinds.extend([
        ResourceType::new("v1", "Node", "nodes", false),
        scope::pods(),
        scope::deployments(),
        // With the records of moves.
        ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true),
    ]);
    Ok(kinds)
}

fn documents(objects: Vec<Object>) -> String {
    let values = objects.into_iter().map(|object| object.value().clone());
    let values: Vec<Value> = values.filter(|value| !is_left_out(value)).map(scrub).collect();
    yaml::stream(&values)
}

/// All events, the latest last.
async fn events(client: &Client) -> Result<String, ApiError> {
    let events = client.list(&ResourceType::core("Event", "events"), None).await?;
    let mut lines: Vec<String> = events.iter().map(line).collect();
    lines.sort();
    Ok(lines.join("\n"))
}

fn line(event: &Object) -> String {
    let value = event.value();
    let text = |value: &Value| value.as_str().unwrap_or_default().replace('\n', " ");
    let time = value["lastTimestamp"].as_str().or(value["eventTime"].as_str());
    let about = &value["involvedObject"];
    format!(
        "{} {} {} {}/{}: {}: {}",
        time.unwrap_or_default(),
        text(&value["type"]),
        text(&about["kind"]),
        text(&about["namespace"]),
        text(&about["name"]),
        text(&value["reason"]),
        text(&value["message"])
    )
}
