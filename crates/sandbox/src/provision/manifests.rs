//! The objects that a user applies for one cluster.

use capi::names::{CLUSTER_NAME_LABEL, CORE_GROUP};
use capi::{Object, ResourceType};
use serde_json::{Value, json};

/// Nothing runs on simulated machines, but every Cluster API of a sandbox has to support it: one
/// that is too old for it writes configurations that a newer one replaces with a rollout.
const KUBERNETES: &str = "v1.34.0";
const CORE: &str = "cluster.x-k8s.io/v1beta2";
const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io/v1beta2";
const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io/v1beta2";
const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io/v1beta2";

/// Annotation in which the in-memory provider keeps the name of a cluster's listener.
const LISTENER: &str = "inmemorycluster.infrastructure.cluster.x-k8s.io/listener";

/// The kind Cluster.
pub(super) fn clusters() -> ResourceType {
    kind(CORE, "Cluster")
}

/// One cluster's objects, with the kind of each. The Cluster comes last, so that everything that it
/// names is there.
pub(super) fn manifests(
    name: &str,
    namespace: &str,
    workers: usize,
) -> Vec<(ResourceType, Object)> {
    let mut objects = vec![
        object(INFRASTRUCTURE, "DevCluster", name, json!({"backend": {"inMemory": {}}})),
        machine_template(&format!("{name}-control-plane"), &["vm", "node", "apiServer", "etcd"]),
        control_plane(name),
    ];
    if workers > 0 {
        objects.push(machine_template(&format!("{name}-md-0"), &["vm", "node"]));
        objects.push(config_template(name));
        objects.push(deployment(name, workers));
    }
    objects.push(cluster(name));
    objects
        .into_iter()
        .map(|(kind, mut object)| {
            object["metadata"]["namespace"] = namespace.into();
            if kind.kind == "DevCluster" {
                // Cluster API 1.14's provider sets this one, and fails where there is none at all.
                object["metadata"]["annotations"] =
                    json!({LISTENER: format!("{namespace}/{name}")});
            }
            (kind, Object::new(object))
        })
        .collect()
}

fn cluster(name: &str) -> (ResourceType, Value) {
    let spec = json!({
        "clusterNetwork": {
            "pods": {"cidrBlocks": ["192.168.0.0/16"]},
            "services": {"cidrBlocks": ["10.128.0.0/12"]},
            "serviceDomain": "cluster.local",
        },
        "infrastructureRef": reference(INFRASTRUCTURE, "DevCluster", name),
        "controlPlaneRef":
            reference(CONTROL_PLANE, "KubeadmControlPlane", &format!("{name}-control-plane")),
    });
    object(CORE, "Cluster", name, spec)
}

fn control_plane(name: &str) -> (ResourceType, Value) {
    let name = format!("{name}-control-plane");
    let spec = json!({
        "replicas": 1,
        "version": KUBERNETES,
        "machineTemplate": {"spec": {
            "infrastructureRef": reference(INFRASTRUCTURE, "DevMachineTemplate", &name),
        }},
        "kubeadmConfigSpec": {
            "clusterConfiguration": {"apiServer": {"certSANs": ["localhost", "127.0.0.1"]}},
            "initConfiguration": {"nodeRegistration": registration()},
            "joinConfiguration": {"nodeRegistration": registration()},
        },
    });
    object(CONTROL_PLANE, "KubeadmControlPlane", &name, spec)
}

fn deployment(cluster: &str, replicas: usize) -> (ResourceType, Value) {
    let name = format!("{cluster}-md-0");
    let labels = json!({CLUSTER_NAME_LABEL: cluster, "pool": name});
    let spec = json!({
        "clusterName": cluster,
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "clusterName": cluster,
                "version": KUBERNETES,
                "bootstrap": {
                    "configRef": reference(BOOTSTRAP, "KubeadmConfigTemplate", &name),
                },
                "infrastructureRef": reference(INFRASTRUCTURE, "DevMachineTemplate", &name),
            },
        },
    });
    object(CORE, "MachineDeployment", &name, spec)
}

fn config_template(cluster: &str) -> (ResourceType, Value) {
    let spec = json!({"template": {"spec": {
        "joinConfiguration": {"nodeRegistration": registration()},
    }}});
    object(BOOTSTRAP, "KubeadmConfigTemplate", &format!("{cluster}-md-0"), spec)
}

/// A machine on which each of these parts starts within a second.
fn machine_template(name: &str, parts: &[&str]) -> (ResourceType, Value) {
    let start = json!({"provisioning": {"startupDuration": "1s"}});
    let parts: Value = parts
        .iter()
        .map(|part| ((*part).to_owned(), start.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let spec = json!({"template": {"spec": {"backend": {"inMemory": parts}}}});
    object(INFRASTRUCTURE, "DevMachineTemplate", name, spec)
}

fn registration() -> Value {
    json!({"criSocket": "unix:///var/run/containerd/containerd.sock"})
}

fn reference(api_version: &str, kind: &str, name: &str) -> Value {
    let group = api_version.split('/').next().unwrap_or(CORE_GROUP);
    json!({"apiGroup": group, "kind": kind, "name": name})
}

fn object(api_version: &str, kind_name: &str, name: &str, spec: Value) -> (ResourceType, Value) {
    let object = json!({
        "apiVersion": api_version,
        "kind": kind_name,
        "metadata": {"name": name},
        "spec": spec,
    });
    (kind(api_version, kind_name), object)
}

fn kind(api_version: &str, kind: &str) -> ResourceType {
    ResourceType::new(api_version, kind, &format!("{}s", kind.to_lowercase()), true)
}
