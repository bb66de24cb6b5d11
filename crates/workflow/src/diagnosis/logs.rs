//! Logs of the providers' controllers, and of pods that are not ready.

use capi::Object;
use cluster::Client;
use serde_json::Value;

use super::archive::Archive;
use super::scope::{self, Scope};
use crate::support::inspect::is_ready;

/// Lines of the log of a container.
const LINES: usize = 2000;
/// Containers of which there are logs.
const CONTAINERS: usize = 60;

pub(super) async fn add(archive: &mut Archive, name: &str, client: &Client, scope: &Scope) {
    let kind = scope::pods();
    let pods = scope.narrow(&kind, client.list(&kind, None).await.unwrap_or_default());
    let is_of_provider = |pod: &&Object| scope.is_of_provider(pod);
    let of_providers = pods.iter().filter(is_of_provider);
    let others = pods.iter().filter(|pod| !is_of_provider(pod) && !is_ready(pod));
    let containers = of_providers.chain(others).flat_map(containers);
    for (pod, container, has_restarted) in containers.take(CONTAINERS) {
        let path = kind.path(pod.namespace(), pod.name());
        let place = format!("{name}/logs/{}/{}", pod.namespace().unwrap_or_default(), pod.name());
        let log = format!("{path}/log?container={container}&tailLines={LINES}");
        if let Ok(text) = client.get_text(&log).await {
            archive.add(&format!("{place}/{container}.log"), &text);
        }
        if has_restarted && let Ok(text) = client.get_text(&format!("{log}&previous=true")).await {
            archive.add(&format!("{place}/{container}.previous.log"), &text);
        }
    }
}

/// The containers of a pod by name, and whether each was started more than once.
fn containers(pod: &Object) -> Vec<(&Object, &str, bool)> {
    let statuses = ["initContainerStatuses", "containerStatuses"];
    let statuses = statuses.iter().filter_map(|field| pod.value()["status"][field].as_array());
    let named = statuses.flatten().filter_map(|status| {
        let has_restarted = status["restartCount"].as_u64().is_some_and(|count| count > 0);
        Some((pod, status["name"].as_str()?, has_restarted))
    });
    let named: Vec<_> = named.collect();
    if !named.is_empty() {
        return named;
    }
    let spec = pod.value()["spec"]["containers"].as_array();
    let names = spec.into_iter().flatten().filter_map(|one: &Value| one["name"].as_str());
    names.map(|name| (pod, name, false)).collect()
}
