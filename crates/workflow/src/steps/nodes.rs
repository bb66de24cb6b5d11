//! Until every machine is a Ready node, as the management cluster sees it.

use capi::names::CLUSTER_NAME_LABEL;
use capi::{Object, unprovisioned_reason};
use cluster::{Client, Served};
use kubectl_pivot_plugin_api::ProbeStage;

use super::control_plane::the_cluster;
use crate::context::Turn;
use crate::error::StepError;
use crate::outline::{Draft, Sketch};
use crate::support::probes::{self, On};
use crate::support::wait::{Seen, until};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let cluster = turn.bootstrap().await?;
    let namespace = turn.spec().namespace.as_str();
    let label = format!("{CLUSTER_NAME_LABEL}={}", turn.spec().name);
    let nodes = until(turn, "every machine is a Ready node", async || {
        let Some(object) = the_cluster(turn, &cluster).await? else {
            return Ok(Seen::Yes(None));
        };
        let served = Served::read(&cluster).await?;
        let Some(machines) = served.versions("cluster.x-k8s.io", "Machine").first() else {
            return Ok(Seen::NotYet("the kind Machine is not served".to_owned()));
        };
        let machines = cluster.list_selected(machines, Some(namespace), &label).await?;
        let wanted = wanted(&cluster, &served, &object).await?;
        let ready = machines.iter().filter(|machine| not_ready(machine).is_none()).count();
        if ready > 0 && ready == machines.len() && ready as u64 >= wanted {
            return Ok(Seen::Yes(Some(ready)));
        }
        let first = machines.iter().find_map(not_ready);
        let first = first.unwrap_or_else(|| "machines are still to be created".to_owned());
        Ok(Seen::NotYet(format!("{ready} of {wanted} nodes are Ready; {first}")))
    })
    .await?;
    let Some(nodes) = nodes else {
        return Ok("the cluster is not in the bootstrap cluster any more".to_owned());
    };
    let held = await_probes(turn, &cluster).await?;
    Ok(format!("{nodes} nodes, {}", probes::words(held)))
}

/// The network was installed in the step before; and the target can be looked at only since then.
async fn await_probes(turn: &Turn<'_>, bootstrap: &Client) -> Result<usize, StepError> {
    let target = turn.target().await?;
    let created = probes::hold(turn, ProbeStage::ClusterCreated, On::Target(&target)).await?;
    let both = On::Both { bootstrap, target: &target };
    Ok(created + probes::hold(turn, ProbeStage::CniInstalled, both).await?)
}

/// Returns the number of machines that the cluster should have.
async fn wanted(client: &Client, served: &Served, cluster: &Object) -> Result<u64, StepError> {
    let mut wanted = 0;
    for (group, kind) in [
        ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
        ("cluster.x-k8s.io", "MachineDeployment"),
        ("cluster.x-k8s.io", "MachinePool"),
    ] {
        let Some(resource) = served.versions(group, kind).first() else { continue };
        let objects = client.list(resource, cluster.namespace()).await?;
        let of_cluster = objects.iter().filter(|object| belongs_to(object, cluster));
        wanted += of_cluster
            .map(|object| object.value()["spec"]["replicas"].as_u64().unwrap_or(1))
            .sum::<u64>();
    }
    Ok(wanted)
}

/// Controllers set the label a moment after the object was applied; its spec tells at once.
fn belongs_to(object: &Object, cluster: &Object) -> bool {
    let control_plane = &cluster.value()["spec"]["controlPlaneRef"];
    object.label(CLUSTER_NAME_LABEL) == Some(cluster.name())
        || object.value()["spec"]["clusterName"] == cluster.name()
        || (control_plane["kind"] == object.kind() && control_plane["name"] == object.name())
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

pub(super) fn sketch(_: &Sketch<'_>) -> Draft {
    Draft::says("waits until every Machine has a Ready Node, and the probes of the CNI plugin hold")
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
    fn objects_belong_to_a_cluster_before_they_have_its_label() {
        let object = |kind: &str, name: &str, spec: Value, labels: Value| {
            Object::new(
                json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": kind, "spec": spec,
                "metadata": {"name": name, "namespace": "default", "labels": labels}}),
            )
        };
        let reference = json!({"controlPlaneRef": {"kind": "KubeadmControlPlane", "name": "kcp"}});
        let cluster = object("Cluster", "pivot", reference, json!({}));
        let is_ours = |kind: &str, name: &str, spec: Value, labels: Value| {
            belongs_to(&object(kind, name, spec, labels), &cluster)
        };
        assert!(is_ours("KubeadmControlPlane", "kcp", json!({}), json!({})));
        assert!(!is_ours("KubeadmControlPlane", "other", json!({}), json!({})));
        assert!(is_ours("MachineDeployment", "md", json!({"clusterName": "pivot"}), json!({})));
        assert!(is_ours("MachinePool", "mp", json!({}), json!({CLUSTER_NAME_LABEL: "pivot"})));
        assert!(!is_ours("MachinePool", "mp", json!({}), json!({CLUSTER_NAME_LABEL: "other"})));
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
