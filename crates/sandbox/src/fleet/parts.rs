//! Pieces that the objects of several kinds share.

use capi::ResourceType;
pub(super) use capi::names::CLUSTER_NAME_LABEL;
use serde_json::{Value, json};

use super::names::Names;

/// Kubernetes version of all clusters.
pub(super) const KUBERNETES: &str = "v1.36.3";

/// Field manager of the controllers' creates, updates and merge patches: the name of their binary.
pub(super) const CONTROLLER: &str = "manager";

/// Field manager of the user's manifests.
pub(super) const USER: &str = "kubectl";

/// Everything the builders need to know of a cluster.
pub(super) struct Context {
    /// Position in the fleet.
    pub(super) index: usize,
    /// Names of the objects.
    pub(super) names: Names,
    /// Time of all conditions, RFC 3339.
    pub(super) now: String,
    /// A year later: when certificates expire.
    pub(super) expiry: String,
}

impl Context {
    /// Address of the load balancer, or of a machine, in Docker's network `kind`.
    pub(super) fn address(&self, host: usize) -> String {
        let hosts = self.names.worker_machines.len() + 2;
        let number = self.index * hosts + host;
        format!("172.18.{}.{}", number / 250 % 250, number % 250 + 2)
    }

    /// The API server's address and port.
    pub(super) fn endpoint(&self) -> Value {
        json!({"host": self.address(0), "port": 6443})
    }

    /// Conditions as the controllers report them since v1beta2.
    ///
    /// The writer adds `observedGeneration`.
    pub(super) fn conditions(&self, conditions: &[(&str, &str, &str)]) -> Value {
        let one = |(kind, status, reason): &(&str, &str, &str)| {
            json!({"type": kind, "status": status, "reason": reason, "message": "",
                "lastTransitionTime": self.now})
        };
        conditions.iter().map(one).collect()
    }

    /// Conditions in the place where v1beta1 has them, all true.
    pub(super) fn deprecated_conditions(&self, kinds: &[&str]) -> Value {
        let one =
            |kind: &&str| json!({"type": kind, "status": "True", "lastTransitionTime": self.now});
        kinds.iter().map(one).collect()
    }
}

/// A reference to an owner that is not the controller.
///
/// References have no uid yet; the writer adds it.
pub(super) fn owner(kind: &ResourceType, name: &str) -> Value {
    json!({"apiVersion": kind.api_version(), "kind": kind.kind, "name": name})
}

/// As `metav1.NewControllerRef` makes it.
pub(super) fn controller(kind: &ResourceType, name: &str) -> Value {
    json!({"apiVersion": kind.api_version(), "kind": kind.kind, "name": name,
        "controller": true, "blockOwnerDeletion": true})
}

/// A reference to another object in a spec, as the v1beta2 contract has it.
pub(super) fn reference(kind: &ResourceType, name: &str) -> Value {
    json!({"apiGroup": kind.group, "kind": kind.kind, "name": name})
}

/// kubeadm's node registration in the Docker provider's templates.
pub(super) fn node_registration() -> Value {
    json!({"kubeletExtraArgs": [
        {"name": "eviction-hard",
            "value": "nodefs.available<0%,nodefs.inodesFree<0%,imagefs.available<0%"},
    ]})
}

/// Returns what the Cluster reports of its machines: all there.
pub(super) fn replicas(count: usize) -> Value {
    with_counters(json!({"desiredReplicas": count}), count)
}

/// A status with the counters of machines that are all there.
pub(super) fn with_counters(mut status: Value, count: usize) -> Value {
    for counter in ["replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"] {
        status[counter] = json!(count);
    }
    // The schema does not take an empty list.
    if count > 0 {
        status["versions"] = json!([{"version": KUBERNETES, "replicas": count}]);
    }
    status
}
