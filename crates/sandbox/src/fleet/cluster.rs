//! The Cluster and its `DockerCluster`.

use serde_json::{Value, json};

use super::blueprint::Blueprint;
use super::kinds;
use super::parts::{CLUSTER_NAME_LABEL, Context, owner, reference, replicas};

pub(super) fn cluster(context: &Context) -> Blueprint {
    let names = &context.names;
    Blueprint::new(&kinds::CLUSTER, &names.cluster)
        .manifest(json!({"spec": {
            "clusterNetwork": {
                "services": {"cidrBlocks": ["10.96.0.0/12"]},
                "pods": {"cidrBlocks": ["192.168.0.0/16"]},
                "serviceDomain": "cluster.local",
            },
            "controlPlaneRef": reference(&kinds::KUBEADM_CONTROL_PLANE, &names.control_plane),
            "infrastructureRef": reference(&kinds::DOCKER_CLUSTER, &names.cluster),
        }}))
        .patched(json!({
            "metadata": {"finalizers": ["cluster.cluster.x-k8s.io"]},
            "spec": {"controlPlaneEndpoint": context.endpoint()},
        }))
        .status(cluster_status(context))
}

fn cluster_status(context: &Context) -> Value {
    json!({
        "conditions": cluster_conditions(context),
        "initialization": {"infrastructureProvisioned": true, "controlPlaneInitialized": true},
        "controlPlane": replicas(1),
        "workers": replicas(context.names.worker_machines.len()),
        "phase": "Provisioned",
        "observedGeneration": 0,
        "deprecated": {"v1beta1": {"conditions": context.deprecated_conditions(
            &["Ready", "ControlPlaneInitialized", "ControlPlaneReady", "InfrastructureReady"],
        )}},
    })
}

fn cluster_conditions(context: &Context) -> Value {
    let no_workers = context.names.worker_machines.is_empty();
    let of_workers = |reason, without| if no_workers { without } else { reason };
    context.conditions(&[
        ("Available", "True", "Available"),
        ("RemoteConnectionProbe", "True", "ProbeSucceeded"),
        ("InfrastructureReady", "True", "Ready"),
        ("ControlPlaneInitialized", "True", "Initialized"),
        ("ControlPlaneAvailable", "True", "Available"),
        ("WorkersAvailable", "True", of_workers("Available", "NoWorkers")),
        ("ControlPlaneMachinesReady", "True", "Ready"),
        ("WorkerMachinesReady", "True", of_workers("Ready", "NoReplicas")),
        ("ControlPlaneMachinesUpToDate", "True", "UpToDate"),
        ("WorkerMachinesUpToDate", "True", of_workers("UpToDate", "NoReplicas")),
        ("RollingOut", "False", "NotRollingOut"),
        ("ScalingUp", "False", "NotScalingUp"),
        ("ScalingDown", "False", "NotScalingDown"),
        ("Remediating", "False", "NotRemediating"),
        ("Deleting", "False", "NotDeleting"),
    ])
}

pub(super) fn docker_cluster(context: &Context) -> Blueprint {
    let cluster = &context.names.cluster;
    Blueprint::new(&kinds::DOCKER_CLUSTER, cluster)
        .manifest(json!({"spec": {"loadBalancer": {"imageRepository": "kindest"}}}))
        .patched(json!({
            "metadata": {
                "labels": {CLUSTER_NAME_LABEL: cluster},
                "finalizers": ["dockercluster.infrastructure.cluster.x-k8s.io"],
                "ownerReferences": [owner(&kinds::CLUSTER, cluster)],
            },
            "spec": {"controlPlaneEndpoint": context.endpoint()},
        }))
        .status(json!({
            "conditions": context.conditions(&[
                ("Ready", "True", "Ready"),
                ("LoadBalancerAvailable", "True", "Available"),
            ]),
            "initialization": {"provisioned": true},
            "deprecated": {"v1beta1": {"conditions":
                context.deprecated_conditions(&["Ready", "LoadBalancerAvailable"])}},
        }))
}
