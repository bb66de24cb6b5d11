//! A Machine, of the control plane or a worker.

use serde_json::{Value, json};

use super::blueprint::Blueprint;
use super::kinds;
use super::material::Material;
use super::parts::{CLUSTER_NAME_LABEL, Context, KUBERNETES, controller, reference};
use super::workers::{DEPLOYMENT_NAME_LABEL, TEMPLATE_HASH_LABEL};

const MACHINE_FINALIZER: &str = "machine.cluster.x-k8s.io";

/// One machine of a cluster.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) context: &'a Context,
    /// Name of the Machine, its configuration, its infrastructure and its node.
    pub(super) name: &'a str,
    /// Number in the cluster; 0 is the control plane's machine.
    pub(super) number: usize,
}

impl Member<'_> {
    pub(super) fn is_control_plane(&self) -> bool {
        self.number == 0
    }

    /// The token with which a worker joins; the control plane's machine has none.
    pub(super) fn token<'m>(&self, material: &'m Material) -> &'m str {
        let token = self.number.checked_sub(1).and_then(|worker| material.tokens.get(worker));
        token.map_or("", String::as_str)
    }

    /// Field managers of the owner: of objects, and of labels on what belongs to them.
    pub(super) fn managers(&self) -> (&'static str, &'static str) {
        if self.is_control_plane() {
            ("capi-kubeadmcontrolplane", "capi-kubeadmcontrolplane-metadata")
        } else {
            ("capi-machineset", "capi-machineset-metadata")
        }
    }

    fn labels(&self) -> Value {
        let names = &self.context.names;
        if self.is_control_plane() {
            return json!({
                CLUSTER_NAME_LABEL: names.cluster,
                "cluster.x-k8s.io/control-plane": "",
                "cluster.x-k8s.io/control-plane-name": names.control_plane,
            });
        }
        json!({
            CLUSTER_NAME_LABEL: names.cluster,
            DEPLOYMENT_NAME_LABEL: names.workers,
            "cluster.x-k8s.io/set-name": names.machine_set,
            TEMPLATE_HASH_LABEL: names.template_hash,
        })
    }

    pub(super) fn addresses(&self) -> Value {
        let address = self.context.address(self.number + 1);
        json!([
            {"type": "Hostname", "address": self.name},
            {"type": "InternalIP", "address": address},
            {"type": "ExternalIP", "address": address},
        ])
    }

    pub(super) fn provider_id(&self) -> String {
        format!("docker:////{}", self.name)
    }

    /// Metadata that the owner applies on what belongs to the Machine, after it has created it.
    pub(super) fn propagated(&self) -> Value {
        json!({"metadata": {"labels": self.labels()}})
    }

    /// Annotations that tell the template.
    pub(super) fn cloned_from(&self, kind: &str, group: &str) -> Value {
        let names = &self.context.names;
        let template = if self.is_control_plane() { &names.control_plane } else { &names.workers };
        json!({
            "cluster.x-k8s.io/cloned-from-name": template,
            "cluster.x-k8s.io/cloned-from-groupkind": format!("{kind}.{group}"),
        })
    }
}

pub(super) fn machine(member: Member<'_>) -> Blueprint {
    let mut additions = json!({"spec": {
        "providerID": member.provider_id(),
        "bootstrap": {"dataSecretName": member.name},
    }});
    if member.is_control_plane() {
        additions["metadata"] = json!({"finalizers": [MACHINE_FINALIZER]});
    }
    Blueprint::new(&kinds::MACHINE, member.name)
        .applied(
            member.managers().0,
            json!({"metadata": machine_metadata(member), "spec": machine_spec(member)}),
        )
        .patched(additions)
        .status(machine_status(member))
}

fn machine_metadata(member: Member<'_>) -> Value {
    let names = &member.context.names;
    if member.is_control_plane() {
        return json!({
            "labels": member.labels(),
            "annotations": {"pre-terminate.delete.hook.machine.cluster.x-k8s.io/kcp-cleanup": ""},
            "ownerReferences": [controller(&kinds::KUBEADM_CONTROL_PLANE, &names.control_plane)],
        });
    }
    json!({
        "labels": member.labels(),
        "finalizers": [MACHINE_FINALIZER],
        "ownerReferences": [controller(&kinds::MACHINE_SET, &names.machine_set)],
    })
}

fn machine_spec(member: Member<'_>) -> Value {
    let mut spec = json!({
        "clusterName": member.context.names.cluster,
        "version": KUBERNETES,
        "bootstrap": {"configRef": reference(&kinds::KUBEADM_CONFIG, member.name)},
        "infrastructureRef": reference(&kinds::DOCKER_MACHINE, member.name),
        "deletion": {"nodeDeletionTimeoutSeconds": 10},
    });
    if member.is_control_plane() {
        let gates = CONTROL_PLANE_CONDITIONS.map(|(kind, _, _)| json!({"conditionType": kind}));
        spec["readinessGates"] = json!(gates);
    }
    spec
}

/// Conditions that the control plane provider reports on its Machines.
const CONTROL_PLANE_CONDITIONS: [(&str, &str, &str); 6] = [
    ("NodeKubeadmLabelsAndTaintsSet", "True", "Set"),
    ("APIServerPodHealthy", "True", "Running"),
    ("ControllerManagerPodHealthy", "True", "Running"),
    ("SchedulerPodHealthy", "True", "Running"),
    ("EtcdPodHealthy", "True", "Running"),
    ("EtcdMemberHealthy", "True", "Healthy"),
];

fn machine_status(member: Member<'_>) -> Value {
    let context = member.context;
    let mut status = json!({
        "conditions": machine_conditions(member),
        "initialization": {"infrastructureProvisioned": true, "bootstrapDataSecretCreated": true},
        "nodeRef": {"name": member.name},
        "nodeInfo": node_info(),
        "addresses": member.addresses(),
        "lastUpdated": context.now,
        "phase": "Running",
        "observedGeneration": 0,
        "deprecated": {"v1beta1": {"conditions": deprecated_machine_conditions(member)}},
    });
    if member.is_control_plane() {
        status["certificatesExpiryDate"] = json!(context.expiry);
    }
    status
}

fn machine_conditions(member: Member<'_>) -> Value {
    let mut conditions = vec![
        ("Available", "True", "Available"),
        ("Ready", "True", "Ready"),
        ("UpToDate", "True", "UpToDate"),
        ("BootstrapConfigReady", "True", "Ready"),
        ("InfrastructureReady", "True", "Ready"),
        ("NodeReady", "True", "NodeReady"),
        ("NodeHealthy", "True", "NodeHealthy"),
        ("Updating", "False", "NotUpdating"),
        ("Deleting", "False", "NotDeleting"),
    ];
    if member.is_control_plane() {
        conditions.extend(CONTROL_PLANE_CONDITIONS);
    }
    member.context.conditions(&conditions)
}

fn deprecated_machine_conditions(member: Member<'_>) -> Value {
    let mut kinds = vec!["Ready", "BootstrapReady", "InfrastructureReady", "NodeHealthy"];
    if member.is_control_plane() {
        kinds.extend(["APIServerPodHealthy", "ControllerManagerPodHealthy", "EtcdMemberHealthy"]);
        kinds.extend(["EtcdPodHealthy", "SchedulerPodHealthy"]);
    }
    member.context.deprecated_conditions(&kinds)
}

fn node_info() -> Value {
    json!({
        "architecture": "amd64", "operatingSystem": "linux", "kernelVersion": "6.8.0-52-generic",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kubeletVersion": KUBERNETES, "kubeProxyVersion": "", "machineID": "", "systemUUID": "",
        "bootID": "",
    })
}
