//! Secrets without which nobody can manage a cluster. A move that does not see them would leave them behind in the
//! source, where the garbage collector deletes them, and the cluster without its keys.
//!
//! The rule is that of the controller of KubeadmControlPlanes (`reconcileClusterCertificates` of Cluster API): once
//! the control plane is initialised it needs all of its certificates and makes none anew. Other control plane
//! providers have rules of their own, so nothing is expected of them.

use std::collections::HashSet;

use serde_json::Value;

use super::super::findings::Findings;
use super::super::run::Run;
use crate::capi::names::{CLUSTER_NAME_LABEL, CORE_GROUP};
use crate::capi::{Graph, Object, group_of};

/// Group and kind whose rule is known.
const CONTROL_PLANE: (&str, &str) = ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane");

/// Purposes of the Secrets of every cluster (`NewCertificatesForInitialControlPlane`, and the kubeconfig with which
/// all controllers reach the cluster).
const PURPOSES: [&str; 5] = ["ca", "etcd", "proxy", "sa", "kubeconfig"];

/// The purpose of one more Secret of a cluster whose etcd is elsewhere.
const EXTERNAL_ETCD: &str = "apiserver-etcd-client";

/// Refuses a move without Secrets that must be there; of a backup it is a warning.
pub(super) fn check(run: &Run, graph: &Graph, findings: &mut Findings) {
    let copied = || graph.copied().map(|index| &graph.nodes[index].object);
    let secrets: HashSet<_> = copied()
        .filter(|object| object.group().is_empty() && object.kind() == "Secret")
        .map(|secret| (secret.namespace(), secret.name()))
        .collect();
    for control_plane in copied().filter(|object| is_initialized(object)) {
        let mut names = expected(control_plane);
        names.retain(|name| !secrets.contains(&(control_plane.namespace(), name.as_str())));
        if names.is_empty() {
            continue;
        }
        let problem = format!(
            "the source does not list Secrets that it needs to manage its cluster: {}",
            names.join(", ")
        );
        let (id, rule) = (control_plane.id(), "SecretMissing");
        if run.options.allow_missing_secrets || run.is_alone() {
            let hint = "put them back before this cluster is managed anywhere else";
            findings.object_warning(rule, "source", id, &problem, hint);
        } else {
            let hint = "put them back; if kubectl shows them in the source, find out what answers there in the \
                        place of its API server; --allow-missing-secrets moves the cluster without them";
            findings.object_error(rule, "source", id, &problem, hint);
        }
    }
}

/// Returns whether this is a control plane that makes no certificates any more.
fn is_initialized(object: &Object) -> bool {
    if (object.group(), object.kind()) != CONTROL_PLANE {
        return false;
    }
    let status = &object.value()["status"];
    let lists = [&status["conditions"], &status["v1beta2"]["conditions"]];
    let mut conditions = lists.into_iter().filter_map(Value::as_array).flatten();
    let is_true =
        |condition: &Value| condition["type"] == "Initialized" && condition["status"] == "True";
    status["initialized"] == true || conditions.any(is_true)
}

/// Names of the Secrets that a control plane needs.
fn expected(control_plane: &Object) -> Vec<String> {
    let Some(cluster) = cluster_of(control_plane) else { return Vec::new() };
    let spec = &control_plane.value()["spec"]["kubeadmConfigSpec"]["clusterConfiguration"];
    let has_external_etcd = spec["etcd"]["external"].is_object();
    let purposes = PURPOSES.into_iter().chain(has_external_etcd.then_some(EXTERNAL_ETCD));
    purposes.map(|purpose| format!("{cluster}-{purpose}")).collect()
}

/// The name of the Cluster that a control plane belongs to.
fn cluster_of(control_plane: &Object) -> Option<String> {
    let mut owners = control_plane.owner_references().into_iter();
    let cluster = |owner: &crate::capi::OwnerReference| {
        owner.kind == "Cluster" && group_of(&owner.api_version) == CORE_GROUP
    };
    let owner = owners.find(cluster).map(|owner| owner.name);
    owner.or_else(|| control_plane.label(CLUSTER_NAME_LABEL).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn control_plane(kind: &str, status: Value, etcd: Value) -> Object {
        Object::new(json!({"apiVersion": "controlplane.cluster.x-k8s.io/v1beta2", "kind": kind,
            "metadata": {"name": "c-kcp", "namespace": "n", "ownerReferences":
                [{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "name": "c", "uid": "u"}]},
            "spec": {"kubeadmConfigSpec": {"clusterConfiguration": {"etcd": etcd}}}, "status": status}))
    }

    #[test]
    fn only_an_initialized_kubeadm_control_plane_needs_secrets() {
        let initialized = json!({"conditions": [{"type": "Initialized", "status": "True"}]});
        let of = |kind: &str, status: &Value| {
            is_initialized(&control_plane(kind, status.clone(), Value::Null))
        };
        assert!(of("KubeadmControlPlane", &initialized));
        assert!(of("KubeadmControlPlane", &json!({"v1beta2": initialized.clone()})));
        assert!(of("KubeadmControlPlane", &json!({"initialized": true})));
        assert!(!of(
            "KubeadmControlPlane",
            &json!({"conditions": [{"type": "Initialized", "status": "False"}]})
        ));
        assert!(!of("KubeadmControlPlane", &Value::Null));
        assert!(!of("RKE2ControlPlane", &initialized));
    }

    #[test]
    fn an_etcd_elsewhere_needs_one_secret_more() {
        let of = |etcd| expected(&control_plane("KubeadmControlPlane", Value::Null, etcd));
        assert_eq!(of(json!({"local": {}})), ["c-ca", "c-etcd", "c-proxy", "c-sa", "c-kubeconfig"]);
        assert_eq!(
            of(json!({"external": {"endpoints": []}})).last().map(String::as_str),
            Some("c-apiserver-etcd-client")
        );
    }
}
