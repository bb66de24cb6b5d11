//! Collects conditions, events and the last lines of controllers' logs after a failure.
//!
//! Everything here is best effort: a cluster that cannot be read has been reported already.

use std::collections::HashSet;
use std::time::Duration;

use capi::names::CORE_GROUP;
use capi::{Condition, Object, well_known};
use cluster::{Client, RetryPolicy, Served};
use serde_json::Value;
use support::journal::Events;
use transfer::installed_providers;

use crate::context::{StepContext, Workflow};
use crate::order::Step;
use crate::steps::is_by_addon;

/// Lines of each sort.
const SHOWN: usize = 6;
/// Lines of a controller's log.
const LOG: usize = 8;
/// A cluster that does not answer is not asked for long.
const INSPECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Looks at the cluster that the step was about.
pub(crate) async fn inspect(workflow: &Workflow, step: Step) -> Vec<String> {
    if step <= Step::Bootstrap {
        return Vec::new();
    }
    let step_context = workflow.at(step, Events::none());
    let lines =
        tokio::time::timeout(INSPECT_TIMEOUT, look(&step_context)).await.unwrap_or_default();
    lines.iter().map(|line| workflow.toolbox.redactor.text(line)).collect()
}

async fn look(step_context: &StepContext<'_>) -> Vec<String> {
    let is_about_target = match step_context.step {
        // The Helm add-on provider, which installs it then, is in the bootstrap cluster.
        Step::Network => {
            !is_by_addon(step_context.spec(), step_context.blueprint()).unwrap_or(false)
        }
        step => {
            matches!(step, Step::Addons | Step::InitTarget | Step::TargetProviders | Step::Verify)
        }
    };
    let client =
        if is_about_target { step_context.target().await } else { step_context.bootstrap().await };
    let Ok(client) = client else { return Vec::new() };
    let client = client.with_retry(RetryPolicy::brief());
    let namespace = step_context.spec().namespace.as_str();
    let mut lines = conditions(&client, namespace).await;
    // Pods of the target decide whether nodes get Ready.
    if matches!(step_context.step, Step::Network | Step::Addons | Step::Nodes)
        && let Ok(target) = step_context.target().await
    {
        lines.extend(pods(&target.with_retry(RetryPolicy::brief())).await);
    }
    lines.extend(events(&client, namespace).await);
    lines.extend(logs(&client).await);
    lines
}

/// Pods that are not ready, and why as far as they say it, of all namespaces. Those without a node
/// come last: they wait for what the others are to bring.
async fn pods(client: &Client) -> Vec<String> {
    let pods = client.list(&well_known::pod(), None).await.unwrap_or_default();
    let mut unwell: Vec<&Object> =
        pods.iter().filter(|pod| !is_ready(pod) && !is_over(pod)).collect();
    unwell.sort_by_key(|pod| pod.value()["spec"]["nodeName"].is_null());
    unwell.into_iter().take(SHOWN).map(unready).collect()
}

fn unready(pod: &Object) -> String {
    let status = &pod.value()["status"];
    let lists = [&status["initContainerStatuses"], &status["containerStatuses"]];
    let containers = lists.into_iter().filter_map(Value::as_array).flatten();
    let waiting = containers.map(|container| &container["state"]["waiting"]);
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let false_ones = conditions.filter(|condition| condition["status"] == "False");
    let mut reasons = waiting.chain(false_ones).filter(|reason| reason["reason"].is_string());
    let why = reasons.next().map(|reason| {
        let text = |field: &str| reason[field].as_str().unwrap_or_default().replace('\n', " ");
        format!(": {} {}", text("reason"), text("message"))
    });
    format!("{} in the target is not ready{}", pod.id(), why.unwrap_or_default())
}

fn is_over(pod: &Object) -> bool {
    pod.value()["status"]["phase"] == "Succeeded"
}

pub(crate) fn is_ready(pod: &Object) -> bool {
    let statuses = pod.value()["status"]["containerStatuses"].as_array();
    statuses.is_some_and(|all| all.iter().all(|status| status["ready"] == true))
}

/// Conditions that are False, of the objects of Cluster API.
async fn conditions(client: &Client, namespace: &str) -> Vec<String> {
    let Ok(served) = Served::read(client).await else { return Vec::new() };
    let mut lines = Vec::new();
    for (group, kind) in [
        (CORE_GROUP, "Cluster"),
        ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
        (CORE_GROUP, "Machine"),
    ] {
        let Some(resource) = served.versions(group, kind).first() else { continue };
        for object in client.list(resource, Some(namespace)).await.unwrap_or_default() {
            lines.extend(unhappy(&object));
        }
    }
    lines.truncate(SHOWN);
    lines
}

fn unhappy(object: &Object) -> Vec<String> {
    let of_interest = ["Available", "Ready", "ControlPlaneInitialized", "InfrastructureReady"];
    let unhappy =
        object.conditions().filter(|one| one.is_false() && of_interest.contains(&one.kind()));
    let line = |one: Condition<'_>| {
        format!("{}: {} is False ({}) {}", object.id(), one.kind(), one.reason(), one.message())
    };
    unhappy.map(line).collect()
}

/// The latest warnings.
async fn events(client: &Client, namespace: &str) -> Vec<String> {
    let kind = well_known::event();
    let mut events = client.list(&kind, Some(namespace)).await.unwrap_or_default();
    events.retain(|event| event.value()["type"] == "Warning");
    let time = |event: &Object| {
        let value = event.value();
        let time = value["lastTimestamp"].as_str().or(value["eventTime"].as_str());
        time.unwrap_or_default().to_owned()
    };
    events.sort_by_key(time);
    let line = |event: &Object| {
        let value = event.value();
        let text = |value: &Value| value.as_str().unwrap_or_default().replace('\n', " ");
        let about = &value["involvedObject"];
        format!(
            "event: {} {}: {}: {}",
            text(&about["kind"]),
            text(&about["name"]),
            text(&value["reason"]),
            text(&value["message"])
        )
    };
    // The same warning comes again and again, from one object as from another object.
    let mut seen = HashSet::new();
    let mut latest: Vec<String> = events
        .iter()
        .rev()
        .map(line)
        .filter(|line| seen.insert(line.clone()))
        .take(SHOWN)
        .collect();
    latest.reverse();
    latest
}

/// The last lines of the first controller that is not well, or of the infrastructure's.
async fn logs(client: &Client) -> Vec<String> {
    let pods_kind = well_known::pod();
    let providers = installed_providers(client).await.unwrap_or_default();
    let mut pods = Vec::new();
    for provider in &providers {
        let found = client.list(&pods_kind, Some(&provider.namespace)).await.unwrap_or_default();
        pods.extend(found.into_iter().map(|pod| (provider.is_infrastructure(), pod)));
    }
    let unwell = pods.iter().find(|(_, pod)| !is_ready(pod));
    let Some((_, pod)) = unwell.or(pods.iter().find(|(infrastructure, _)| *infrastructure)) else {
        return Vec::new();
    };
    let path = pods_kind.path(pod.namespace(), pod.name());
    let Ok(log) = client.get_text(&format!("{path}/log?tailLines={LOG}")).await else {
        return Vec::new();
    };
    let head = format!("last lines of {}/{}:", pod.namespace().unwrap_or_default(), pod.name());
    std::iter::once(head).chain(log.lines().map(|line| format!("  | {line}"))).collect()
}
