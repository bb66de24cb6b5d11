//! The `KubeadmControlPlane` and the machine templates.

use serde_json::{Value, json};

use super::blueprint::Blueprint;
use super::kinds;
use super::parts::{
    CLUSTER_NAME_LABEL, Context, KUBERNETES, node_registration, owner, reference, with_counters,
};

/// The cluster configuration of kubeadm in all control planes.
pub(super) fn cluster_configuration() -> Value {
    json!({"apiServer": {"certSANs": ["localhost", "127.0.0.1", "0.0.0.0",
        "host.docker.internal"]}})
}

pub(super) fn control_plane(context: &Context) -> Blueprint {
    let names = &context.names;
    Blueprint::new(&kinds::KUBEADM_CONTROL_PLANE, &names.control_plane)
        .manifest(json!({"spec": {
            "replicas": 1,
            "version": KUBERNETES,
            "machineTemplate": {"spec": {
                "infrastructureRef": reference(&kinds::DOCKER_MACHINE_TEMPLATE,
                    &names.control_plane),
                "deletion": {"nodeDeletionTimeoutSeconds": 10},
            }},
            "kubeadmConfigSpec": {
                "clusterConfiguration": cluster_configuration(),
                "initConfiguration": {"nodeRegistration": node_registration()},
                "joinConfiguration": {"nodeRegistration": node_registration()},
                "format": "cloud-config",
            },
            "rollout": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
        }}))
        .patched(json!({"metadata": {
            "labels": {CLUSTER_NAME_LABEL: names.cluster},
            "finalizers": ["kubeadm.controlplane.cluster.x-k8s.io"],
            "ownerReferences": [owner(&kinds::CLUSTER, &names.cluster)],
        }}))
        .status(with_counters(control_plane_status(context), 1))
}

fn control_plane_status(context: &Context) -> Value {
    let cluster = &context.names.cluster;
    json!({
        "conditions": context.conditions(&[
            ("Available", "True", "Available"),
            ("Initialized", "True", "Initialized"),
            ("CertificatesAvailable", "True", "Available"),
            ("EtcdClusterHealthy", "True", "Healthy"),
            ("ControlPlaneComponentsHealthy", "True", "Healthy"),
            ("MachinesReady", "True", "Ready"),
            ("MachinesUpToDate", "True", "UpToDate"),
            ("RollingOut", "False", "NotRollingOut"),
            ("ScalingUp", "False", "NotScalingUp"),
            ("ScalingDown", "False", "NotScalingDown"),
            ("Remediating", "False", "NotRemediating"),
            ("Deleting", "False", "NotDeleting"),
        ]),
        "initialization": {"controlPlaneInitialized": true},
        "selector": format!("{CLUSTER_NAME_LABEL}={cluster},cluster.x-k8s.io/control-plane"),
        "version": KUBERNETES,
        "observedGeneration": 0,
        "deprecated": {"v1beta1": {
            "conditions": context.deprecated_conditions(&[
                "Ready", "Available", "CertificatesAvailable", "ControlPlaneComponentsHealthy",
                "EtcdClusterHealthy", "MachinesCreated", "MachinesReady", "MachinesSpecUpToDate",
                "Resized",
            ]),
            "updatedReplicas": 1, "readyReplicas": 1, "unavailableReplicas": 0,
        }},
    })
}

/// The machine template of that name, for the control plane or the workers.
pub(super) fn machine_template(context: &Context, name: &str) -> Blueprint {
    Blueprint::new(&kinds::DOCKER_MACHINE_TEMPLATE, name)
        .manifest(json!({"spec": {"template": {"spec": docker_machine_spec()}}}))
        .patched(owned_by_cluster(context))
}

/// Returns what a machine gets from its template.
pub(super) fn docker_machine_spec() -> Value {
    json!({"extraMounts": [{"containerPath": "/var/run/docker.sock",
        "hostPath": "/var/run/docker.sock"}]})
}

/// Returns what controllers add to the templates of a cluster.
pub(super) fn owned_by_cluster(context: &Context) -> Value {
    json!({"metadata": {"ownerReferences": [owner(&kinds::CLUSTER, &context.names.cluster)]}})
}
