//! The `MachineDeployment`, its `MachineSet` and the bootstrap template.

use serde_json::{Value, json};

use super::blueprint::Blueprint;
use super::control_plane::owned_by_cluster;
use super::kinds;
use super::parts::{
    CLUSTER_NAME_LABEL, Context, KUBERNETES, controller, node_registration, owner, reference,
    with_counters,
};

pub(super) const DEPLOYMENT_NAME_LABEL: &str = "cluster.x-k8s.io/deployment-name";
pub(super) const TEMPLATE_HASH_LABEL: &str = "machine-template-hash";

const REVISION: &str = "machinedeployment.clusters.x-k8s.io/revision";

pub(super) fn bootstrap_template(context: &Context) -> Blueprint {
    Blueprint::new(&kinds::KUBEADM_CONFIG_TEMPLATE, &context.names.workers)
        .manifest(json!({"spec": {"template": {"spec": {
            "joinConfiguration": {"nodeRegistration": node_registration()},
        }}}}))
        .patched(owned_by_cluster(context))
}

pub(super) fn machine_deployment(context: &Context) -> Blueprint {
    let names = &context.names;
    let count = names.worker_machines.len();
    let labels = json!({CLUSTER_NAME_LABEL: names.cluster, DEPLOYMENT_NAME_LABEL: names.workers});
    Blueprint::new(&kinds::MACHINE_DEPLOYMENT, &names.workers)
        .manifest(json!({"spec": {
            "clusterName": names.cluster,
            "replicas": count,
            "rollout": {"strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            }},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": machine_spec(context)},
        }}))
        .patched(json!({"metadata": {
            "labels": {CLUSTER_NAME_LABEL: names.cluster},
            "annotations": {REVISION: "1"},
            "finalizers": ["cluster.x-k8s.io/machinedeployment"],
            "ownerReferences": [owner(&kinds::CLUSTER, &names.cluster)],
        }}))
        .status(with_counters(machine_deployment_status(context), count))
}

/// Returns what the machines of the deployment have in common.
fn machine_spec(context: &Context) -> Value {
    let names = &context.names;
    json!({
        "clusterName": names.cluster,
        "version": KUBERNETES,
        "bootstrap": {"configRef": reference(&kinds::KUBEADM_CONFIG_TEMPLATE, &names.workers)},
        "infrastructureRef": reference(&kinds::DOCKER_MACHINE_TEMPLATE, &names.workers),
        "deletion": {"nodeDeletionTimeoutSeconds": 10},
    })
}

fn machine_deployment_status(context: &Context) -> Value {
    let names = &context.names;
    let count = names.worker_machines.len();
    let of_machines = |reason| if count == 0 { "NoReplicas" } else { reason };
    json!({
        "conditions": context.conditions(&[
            ("Available", "True", "Available"),
            ("MachinesReady", "True", of_machines("Ready")),
            ("MachinesUpToDate", "True", of_machines("UpToDate")),
            ("RollingOut", "False", "NotRollingOut"),
            ("ScalingDown", "False", "NotScalingDown"),
            ("ScalingUp", "False", "NotScalingUp"),
            ("Remediating", "False", "NotRemediating"),
            ("Deleting", "False", "NotDeleting"),
        ]),
        "selector": format!("{CLUSTER_NAME_LABEL}={},{DEPLOYMENT_NAME_LABEL}={}", names.cluster,
            names.workers),
        "phase": "Running",
        "observedGeneration": 0,
        "deprecated": {"v1beta1": {
            "conditions": context.deprecated_conditions(&["Ready", "Available", "MachineSetReady"]),
            "updatedReplicas": count, "readyReplicas": count, "availableReplicas": count,
            "unavailableReplicas": 0,
        }},
    })
}

pub(super) fn machine_set(context: &Context) -> Blueprint {
    let names = &context.names;
    let count = names.worker_machines.len();
    let labels = json!({
        CLUSTER_NAME_LABEL: names.cluster,
        DEPLOYMENT_NAME_LABEL: names.workers,
        TEMPLATE_HASH_LABEL: names.template_hash,
    });
    Blueprint::new(&kinds::MACHINE_SET, &names.machine_set)
        .applied(
            "capi-machinedeployment",
            json!({
                "metadata": {
                    "labels": labels,
                    "annotations": {
                        REVISION: "1",
                        "machinedeployment.clusters.x-k8s.io/desired-replicas": count.to_string(),
                        "machinedeployment.clusters.x-k8s.io/max-replicas": (count + 1).to_string(),
                    },
                    "ownerReferences": [controller(&kinds::MACHINE_DEPLOYMENT, &names.workers)],
                },
                "spec": {
                    "clusterName": names.cluster,
                    "replicas": count,
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": machine_spec(context)},
                },
            }),
        )
        .patched(json!({"metadata": {"finalizers": ["cluster.x-k8s.io/machineset"]}}))
        .status(with_counters(machine_set_status(context), count))
}

fn machine_set_status(context: &Context) -> Value {
    let names = &context.names;
    let count = names.worker_machines.len();
    let of_machines = |reason| if count == 0 { "NoReplicas" } else { reason };
    json!({
        "conditions": context.conditions(&[
            ("MachinesReady", "True", of_machines("Ready")),
            ("MachinesUpToDate", "True", of_machines("UpToDate")),
            ("ScalingUp", "False", "NotScalingUp"),
            ("ScalingDown", "False", "NotScalingDown"),
            ("Remediating", "False", "NotRemediating"),
            ("Deleting", "False", "NotDeleting"),
        ]),
        "selector": format!(
            "{CLUSTER_NAME_LABEL}={},{DEPLOYMENT_NAME_LABEL}={},{TEMPLATE_HASH_LABEL}={}",
            names.cluster, names.workers, names.template_hash
        ),
        "observedGeneration": 0,
        "deprecated": {"v1beta1": {
            "conditions": context.deprecated_conditions(
                &["Ready", "MachinesCreated", "MachinesReady", "Resized"],
            ),
            "fullyLabeledReplicas": count, "readyReplicas": count, "availableReplicas": count,
        }},
    })
}
