//! The management cluster itself: only a cluster that manages itself is deleted the long way round.

use capi::{Object, ResourceType, is_paused, well_known};
use cluster::Client;
use transfer::{Phase, Record, Role};

use crate::context::StepContext;
use crate::error::StepError;
use crate::steps::clusters_left;

/// Annotations that Cluster API writes on the Nodes of a Cluster's Machines.
const CLUSTER_NAME: &str = "cluster.x-k8s.io/cluster-name";
const CLUSTER_NAMESPACE: &str = "cluster.x-k8s.io/cluster-namespace";

/// Fails if the cluster manages others or not itself, or if its controllers leave it alone.
async fn check(
    step_context: &StepContext<'_>,
    management: &Client,
    cluster: &Object,
) -> Result<(), StepError> {
    let own = cluster.id().to_string();
    let others: Vec<String> =
        clusters_left(management).await?.into_iter().filter(|id| *id != own).collect();
    if !others.is_empty() {
        return Err(StepError::refused(
            format!("this management cluster also has {}", others.join(", ")),
            "delete them first with `kubectl delete cluster`, or move them to another management \
             cluster with `kubectl pivot move`",
        ));
    }
    let nodes = well_known::node();
    if !management.list_metadata(&nodes, None).await?.iter().any(|node| belongs(node, cluster)) {
        return Err(StepError::refused(
            format!(
                "{own} does not manage itself: no Node of {} is one of its",
                management.server()
            ),
            format!(
                "delete it as any workload cluster: kubectl delete cluster -n {} {}",
                step_context.spec().namespace,
                step_context.spec().name
            ),
        ));
    }
    Ok(())
}

/// As [`check`], and fails if the cluster is paused by anything but a move that was interrupted.
pub(super) async fn check_all(
    step_context: &StepContext<'_>,
    management: &Client,
    cluster: &Object,
) -> Result<(), StepError> {
    check(step_context, management, cluster).await?;
    let found = transfer::find(management, management).await.map_err(StepError::Phase)?;
    // The record of a replacement that rests says nothing about pauses here.
    let rests = |record: &Record| record.phase == Phase::Left && record.role == Role::Target;
    if found.record().is_some_and(|record| !rests(record)) {
        return Ok(());
    }
    check_active(cluster)
}

/// Fails if the user has paused the cluster: nobody would delete its machines.
pub(super) fn check_active(cluster: &Object) -> Result<(), StepError> {
    if !is_paused(cluster) {
        return Ok(());
    }
    Err(StepError::refused(
        format!(
            "{} is paused (spec.paused), so no controller would delete its machines",
            cluster.id()
        ),
        format!(
            "resume it: kubectl patch cluster -n {} {} --type merge -p \
             '{{\"spec\":{{\"paused\":false}}}}'",
            cluster.namespace().unwrap_or_default(),
            cluster.name()
        ),
    ))
}

fn belongs(node: &Object, cluster: &Object) -> bool {
    node.annotation(CLUSTER_NAME) == Some(cluster.name())
        && node.annotation(CLUSTER_NAMESPACE) == cluster.namespace()
}

/// The Machines of the cluster, by name.
pub(super) async fn machines(client: &Client, cluster: &Object) -> Result<Vec<Object>, StepError> {
    let kind = ResourceType::new(cluster.api_version(), "Machine", "machines", true);
    let mut machines = client.list(&kind, cluster.namespace()).await?;
    machines.retain(|machine| machine.value()["spec"]["clusterName"] == cluster.name());
    Ok(machines)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_says_whose_it_is() {
        let cluster =
            Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
            "metadata": {"name": "pivot", "namespace": "default"}}));
        let node = |name: &str, namespace: &str| {
            Object::new(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n",
                "annotations": {CLUSTER_NAME: name, CLUSTER_NAMESPACE: namespace}}}))
        };
        assert!(belongs(&node("pivot", "default"), &cluster));
        assert!(!belongs(&node("pivot", "other"), &cluster));
        assert!(!belongs(&node("other", "default"), &cluster));
        let bare = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}});
        assert!(!belongs(&Object::new(bare), &cluster));
    }
}
