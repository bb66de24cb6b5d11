//! The machines that a cluster should have, whatever its control plane is made with.

use capi::names::{CLUSTER_NAME_LABEL, CORE_GROUP};
use capi::{Object, group_of};
use cluster::{Client, Served};
use serde_json::Value;

use crate::error::StepError;

/// Label of a Machine that stands for an instance of a MachinePool.
const POOL_LABEL: &str = "cluster.x-k8s.io/pool-name";

/// The expected machines of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// Number of Machines, without those of pools.
    pub(super) machines: u64,
    /// Number of MachinePools.
    pub(super) pools: usize,
    /// The reason why a MachinePool is not ready, if one is not.
    pub(super) unready_pool: Option<String>,
}

impl Expected {
    pub(super) async fn read(
        client: &Client,
        served: &Served,
        cluster: &Object,
    ) -> Result<Self, StepError> {
        let mut expected =
            Self { machines: of_control_plane(client, served, cluster).await?, ..Self::default() };
        for object in of_kind(client, served, cluster, "MachineDeployment").await? {
            expected.machines += replicas(&object);
        }
        for pool in of_kind(client, served, cluster, "MachinePool").await? {
            expected.pools += 1;
            expected.unready_pool = expected.unready_pool.or_else(|| unready(&pool));
        }
        Ok(expected)
    }

    /// Returns true if these Machines, of which so many are Ready nodes, are all.
    pub(super) fn is_met(&self, machines: usize, ready: usize) -> bool {
        let has_all = ready == machines && ready as u64 >= self.machines;
        has_all && self.unready_pool.is_none() && machines + self.pools > 0
    }
}

/// Returns true if a MachinePool answers for a Machine.
pub(super) fn is_of_pool(machine: &Object) -> bool {
    machine.label(POOL_LABEL).is_some()
}

async fn of_control_plane(
    client: &Client,
    served: &Served,
    cluster: &Object,
) -> Result<u64, StepError> {
    let reference = &cluster.value()["spec"]["controlPlaneRef"];
    let text = |field: &str| reference[field].as_str().unwrap_or_default();
    let group = match text("apiGroup") {
        "" => group_of(text("apiVersion")),
        group => group,
    };
    let Some(kind) = served.versions(group, text("kind")).first() else { return Ok(0) };
    let found = client.get(kind, cluster.namespace(), text("name")).await?;
    Ok(found.as_ref().map_or(1, machines_of))
}

/// A control plane that makes Machines has a template for them. Others run as pods, or are a
/// service of a cloud.
fn machines_of(control_plane: &Object) -> u64 {
    let spec = &control_plane.value()["spec"];
    let templates = ["machineTemplate", "infrastructureTemplate", "infrastructureRef"];
    let has_machines = templates.iter().any(|field| !spec[field].is_null());
    if has_machines { replicas(control_plane) } else { 0 }
}

fn replicas(object: &Object) -> u64 {
    object.value()["spec"]["replicas"].as_u64().unwrap_or(1)
}

async fn of_kind(
    client: &Client,
    served: &Served,
    cluster: &Object,
    kind: &str,
) -> Result<Vec<Object>, StepError> {
    let Some(resource) = served.versions(CORE_GROUP, kind).first() else { return Ok(Vec::new()) };
    let mut objects = client.list(resource, cluster.namespace()).await?;
    objects.retain(|object| belongs_to(object, cluster));
    Ok(objects)
}

/// Controllers set the label a moment after the object was applied; its spec says it at once.
fn belongs_to(object: &Object, cluster: &Object) -> bool {
    object.label(CLUSTER_NAME_LABEL) == Some(cluster.name())
        || object.value()["spec"]["clusterName"] == cluster.name()
}

/// Not every MachinePool has Machines, so its own status counts.
fn unready(pool: &Object) -> Option<String> {
    let status: &Value = &pool.value()["status"];
    let (wanted, ready) = (replicas(pool), status["readyReplicas"].as_u64().unwrap_or(0));
    (ready < wanted).then(|| format!("{}: {ready} of {wanted} replicas are ready", pool.id()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, spec: Value, status: Value) -> Object {
        Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": kind, "spec": spec,
            "status": status, "metadata": {"name": "a", "namespace": "default"}}))
    }

    #[test]
    fn every_control_plane_on_machines_counts() {
        for (kind, spec, machines) in [
            ("KubeadmControlPlane", json!({"replicas": 3, "machineTemplate": {}}), 3),
            ("RKE2ControlPlane", json!({"replicas": 3, "machineTemplate": {}}), 3),
            ("K0sControlPlane", json!({"machineTemplate": {}}), 1),
            ("TalosControlPlane", json!({"replicas": 5, "infrastructureTemplate": {}}), 5),
            ("K0smotronControlPlane", json!({"replicas": 2}), 0),
            ("AWSManagedControlPlane", json!({}), 0),
        ] {
            assert_eq!(machines_of(&object(kind, spec, Value::Null)), machines, "{kind}");
        }
    }

    #[test]
    fn pools_are_ready_by_their_own_word() {
        let pool = |ready: Value| {
            let status = json!({"readyReplicas": ready});
            unready(&object("MachinePool", json!({"replicas": 2}), status))
        };
        assert_eq!(pool(json!(2)), None);
        assert!(pool(json!(1)).is_some_and(|why| why.ends_with("1 of 2 replicas are ready")));
        assert!(pool(Value::Null).is_some());
    }

    #[test]
    fn all_that_is_expected_has_to_be_there() {
        let expected = |machines, pools| Expected { machines, pools, unready_pool: None };
        assert!(expected(3, 0).is_met(3, 3));
        assert!(!expected(3, 0).is_met(2, 2) && !expected(2, 0).is_met(3, 2));
        // Nothing but a pool below a control plane that runs elsewhere.
        assert!(expected(0, 1).is_met(0, 0) && !expected(0, 0).is_met(0, 0));
        let unready = Expected { unready_pool: Some("p".to_owned()), ..expected(0, 1) };
        assert!(!unready.is_met(0, 0));
    }

    #[test]
    fn objects_belong_to_a_cluster_before_they_have_its_label() {
        let cluster = Object::new(json!({"metadata": {"name": "pivot"}}));
        let of = |spec: Value, labels: Value| {
            let value = json!({"kind": "MachinePool", "spec": spec,
                "metadata": {"name": "p", "labels": labels}});
            belongs_to(&Object::new(value), &cluster)
        };
        assert!(of(json!({"clusterName": "pivot"}), json!({})));
        assert!(of(json!({}), json!({CLUSTER_NAME_LABEL: "pivot"})));
        assert!(!of(json!({}), json!({CLUSTER_NAME_LABEL: "other"})));
    }
}
