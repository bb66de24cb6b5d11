//! The objects of a Machine: its `KubeadmConfig` and its `DockerMachine`.

use serde_json::{Value, json};

use super::blueprint::Blueprint;
use super::control_plane::{cluster_configuration, docker_machine_spec};
use super::kinds;
use super::machine::Member;
use super::material::Material;
use super::parts::{controller, node_registration};

pub(super) fn kubeadm_config(member: Member<'_>, material: &Material) -> Blueprint {
    let context = member.context;
    let mut metadata = json!({});
    let spec = if member.is_control_plane() {
        json!({
            "clusterConfiguration": cluster_configuration(),
            "initConfiguration": {"nodeRegistration": node_registration()},
            "format": "cloud-config",
        })
    } else {
        let from = member.cloned_from("KubeadmConfigTemplate", &kinds::KUBEADM_CONFIG.group);
        metadata["annotations"] = from;
        json!({"joinConfiguration": {"nodeRegistration": node_registration()}})
    };
    let mut additions = owned_by_machine(member);
    if !member.is_control_plane() {
        additions["spec"] =
            json!({"joinConfiguration": {"discovery": discovery(member, material)}});
    }
    Blueprint::new(&kinds::KUBEADM_CONFIG, member.name)
        .applied(member.managers().0, json!({"metadata": metadata, "spec": spec}))
        .applied(member.managers().1, member.propagated())
        .patched(additions)
        .status(json!({
            "conditions": context.conditions(&[
                ("Ready", "True", "Ready"),
                ("CertificatesAvailable", "True", "Available"),
                ("DataSecretAvailable", "True", "Available"),
            ]),
            "initialization": {"dataSecretCreated": true},
            "dataSecretName": member.name,
            "observedGeneration": 0,
            "deprecated": {"v1beta1": {"conditions": context
                .deprecated_conditions(&["Ready", "CertificatesAvailable",
                    "DataSecretAvailable"])}},
        }))
}

/// Returns how a worker finds its cluster.
fn discovery(member: Member<'_>, material: &Material) -> Value {
    json!({"bootstrapToken": {
        "apiServerEndpoint": format!("{}:6443", member.context.address(0)),
        "caCertHashes": [material.ca_hash],
        "token": member.token(material),
    }})
}

fn owned_by_machine(member: Member<'_>) -> Value {
    json!({"metadata": {"ownerReferences": [controller(&kinds::MACHINE, member.name)]}})
}

pub(super) fn docker_machine(member: Member<'_>) -> Blueprint {
    let context = member.context;
    let from = member.cloned_from("DockerMachineTemplate", &kinds::DOCKER_MACHINE.group);
    let mut additions = owned_by_machine(member);
    additions["metadata"]["finalizers"] = json!(["dockermachine.infrastructure.cluster.x-k8s.io"]);
    additions["spec"] = json!({"providerID": member.provider_id()});
    Blueprint::new(&kinds::DOCKER_MACHINE, member.name)
        .applied(
            member.managers().0,
            json!({"metadata": {"annotations": from}, "spec": docker_machine_spec()}),
        )
        .applied(member.managers().1, member.propagated())
        .patched(additions)
        .status(json!({
            "conditions": context.conditions(&[
                ("Ready", "True", "Ready"),
                ("CGroupsReady", "True", "Ready"),
                ("ContainerProvisioned", "True", "Provisioned"),
                ("PreLoadedImagesReady", "True", "Ready"),
                ("BootstrapCompleted", "True", "Completed"),
            ]),
            "initialization": {"provisioned": true},
            "loadBalancerConfigured": member.is_control_plane(),
            "addresses": member.addresses(),
            "deprecated": {"v1beta1": {"conditions": context.deprecated_conditions(
                &["Ready", "BootstrapExecSucceeded", "ContainerProvisioned"],
            )}},
        }))
}
