//! Until every machine is a Ready node, as the management cluster sees it.

use std::sync::atomic::{AtomicUsize, Ordering};

use capi::names::CLUSTER_NAME_LABEL;
use capi::{Object, unprovisioned_reason};
use cluster::{Client, Served};
use kubectl_pivot_plugin_api::ProbeStage;

use super::control_plane::the_cluster;
use super::expected::{Expected, is_of_pool};
use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::images;
use crate::support::moved::moved_away;
use crate::support::probes::{self, ProbeTargets};
use crate::support::wait::{Poll, until};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let cluster = step_context.bootstrap().await?;
    if let Some(words) = moved_away(step_context, &cluster).await? {
        return Ok(words.to_owned());
    }
    let namespace = step_context.spec().namespace.as_str();
    let label = format!("{CLUSTER_NAME_LABEL}={}", step_context.spec().name);
    let loaded = AtomicUsize::new(0);
    let nodes = until(step_context, "every machine is a Ready node", async || {
        let Some(object) = the_cluster(step_context, &cluster).await? else {
            return Ok(Poll::Ready(None));
        };
        let served = Served::read(&cluster).await?;
        let Some(machines) = served.versions("cluster.x-k8s.io", "Machine").first() else {
            return Ok(Poll::Pending("the kind Machine is not served".to_owned()));
        };
        let machines = cluster.list_selected(machines, Some(namespace), &label).await?;
        let machines: Vec<Object> = machines.into_iter().filter(|one| !is_of_pool(one)).collect();
        let expected = Expected::read(&cluster, &served, &object).await?;
        let joined = |machine: &&Object| !machine.value()["status"]["nodeRef"].is_null();
        let joined = machines.iter().filter(joined).count();
        if joined > loaded.swap(joined, Ordering::Relaxed) {
            images::load_into_target(step_context).await?;
        }
        let ready = machines.iter().filter(|machine| not_ready(machine).is_none()).count();
        if expected.is_met(machines.len(), ready) {
            return Ok(Poll::Ready(Some(ready)));
        }
        let first = machines.iter().find_map(not_ready).or(expected.unready_pool);
        let first = first.unwrap_or_else(|| "machines are still to be created".to_owned());
        Ok(Poll::Pending(format!("{ready} of {} nodes are Ready; {first}", expected.machines)))
    })
    .await?;
    let Some(nodes) = nodes else {
        return Ok("the cluster is not in the bootstrap cluster any more".to_owned());
    };
    let held = await_probes(step_context, &cluster).await?;
    Ok(format!("{nodes} nodes, {}", probes::words(held)))
}

/// The network was installed in the step before; and the target can be looked at only since then.
async fn await_probes(
    step_context: &StepContext<'_>,
    bootstrap: &Client,
) -> Result<usize, StepError> {
    let target = step_context.target().await?;
    let created =
        probes::hold(step_context, ProbeStage::ClusterCreated, ProbeTargets::Target(&target))
            .await?;
    let both = ProbeTargets::Both { bootstrap, target: &target };
    Ok(created + probes::hold(step_context, ProbeStage::CniInstalled, both).await?)
}

/// Returns the reason why a machine is not a Ready node. Without a condition about the node, its
/// existence is enough.
fn not_ready(machine: &Object) -> Option<String> {
    if let Some(reason) = unprovisioned_reason(machine) {
        return Some(format!("{}: {reason}", machine.id()));
    }
    let mut of_node =
        machine.conditions().filter(|c| matches!(c.kind(), "NodeReady" | "NodeHealthy"));
    let unhappy = of_node.find(|condition| !condition.is_true())?;
    let (kind, status) = (unhappy.kind(), unhappy.status());
    Some(format!("{}: {kind} is {status} {}", machine.id(), unhappy.message()))
}

pub(super) fn sketch(_: &DryRun<'_>) -> StepPreview {
    StepPreview::says(
        "waits until every Machine has a Ready Node, and the probes of the CNI plugin hold",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn machine(status: Value) -> Object {
        Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Machine",
            "metadata": {"name": "m", "namespace": "default"}, "status": status}))
    }

    #[test]
    fn machines_are_ready_when_their_nodes_are() {
        assert!(not_ready(&machine(json!({}))).is_some());
        let node = json!({"name": "m"});
        assert_eq!(not_ready(&machine(json!({"nodeRef": node}))), None);
        let with = |status: &str| {
            let condition = json!({"type": "NodeReady", "status": status, "message": "no\nCNI"});
            not_ready(&machine(json!({"nodeRef": node, "conditions": [condition]})))
        };
        assert_eq!(with("True"), None);
        assert!(with("False").is_some_and(|text| text.ends_with("NodeReady is False no CNI")));
    }
}
