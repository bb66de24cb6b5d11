//! Pieces that many populations share: provisioned clusters and machines in their smallest form.

use serde_json::{Value, json};

use super::{Handle, ObjectSpec, Population};

/// `apiVersion` of the core kinds.
pub const CORE: &str = "cluster.x-k8s.io/v1beta2";
/// `apiVersion` of the Docker provider's kinds.
pub const DOCKER: &str = "infrastructure.cluster.x-k8s.io/v1beta2";
/// `apiVersion` of the kubeadm bootstrap provider's kinds.
pub const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io/v1beta2";
/// `apiVersion` of the kubeadm control plane provider's kinds.
pub const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io/v1beta2";
/// Label that says to which cluster an object belongs.
pub const CLUSTER_NAME: &str = "cluster.x-k8s.io/cluster-name";

const SINCE: &str = "2026-01-01T00:00:00Z";

/// A condition as controllers report it.
pub fn condition(name: &str) -> Value {
    json!({"type": name, "status": "True", "reason": name, "message": "",
        "lastTransitionTime": SINCE, "observedGeneration": 1})
}

/// The status of a Cluster that may be moved.
pub fn provisioned() -> Value {
    json!({
        "initialization": {"infrastructureProvisioned": true, "controlPlaneInitialized": true},
        "conditions": [condition("Available"), condition("ControlPlaneInitialized")],
        "observedGeneration": 1,
        "phase": "Provisioned",
    })
}

/// A reference to a DockerCluster.
pub fn infrastructure_ref(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": kind, "name": name})
}

/// A provisioned Cluster, without the objects it refers to.
pub fn bare_cluster(name: &str) -> ObjectSpec {
    ObjectSpec::new(CORE, "Cluster", name)
        .finalizer("cluster.cluster.x-k8s.io")
        .label("environment", "proof")
        .manager("kubectl-client-side-apply")
        .spec(json!({
            "clusterNetwork": {"services": {"cidrBlocks": ["10.96.0.0/12"]},
                "pods": {"cidrBlocks": ["192.168.0.0/16"]}},
            "controlPlaneEndpoint": {"host": "172.18.0.3", "port": 6443},
            "infrastructureRef": infrastructure_ref("DockerCluster", name),
        }))
        .status(provisioned())
}

/// A provisioned Cluster with its DockerCluster and kubeconfig Secret.
pub fn cluster(population: &mut Population, name: &str) -> Handle {
    let cluster = population.add(bare_cluster(name));
    population.add(
        ObjectSpec::new(DOCKER, "DockerCluster", name)
            .label(CLUSTER_NAME, name)
            .finalizer("dockercluster.infrastructure.cluster.x-k8s.io")
            .owned_by(cluster)
            .spec(json!({"controlPlaneEndpoint": {"host": "172.18.0.3", "port": 6443},
                "loadBalancer": {}})),
    );
    population.add(
        ObjectSpec::cluster_secret(&format!("{name}-kubeconfig"))
            .label(CLUSTER_NAME, name)
            .owned_by(cluster),
    );
    cluster
}

/// A running Machine of a cluster with its KubeadmConfig, DockerMachine and bootstrap Secret.
pub fn machine(population: &mut Population, cluster: &str, name: &str, owner: Handle) -> Handle {
    let machine = population.add(
        ObjectSpec::new(CORE, "Machine", name)
            .label(CLUSTER_NAME, cluster)
            .finalizer("machine.cluster.x-k8s.io")
            .controlled_by(owner)
            .spec(json!({
                "clusterName": cluster,
                "version": "v1.36.0",
                "bootstrap": {"dataSecretName": name, "configRef":
                    {"apiGroup": "bootstrap.cluster.x-k8s.io", "kind": "KubeadmConfig",
                        "name": name}},
                "infrastructureRef": infrastructure_ref("DockerMachine", name),
                "providerID": format!("docker:////{name}"),
            }))
            .status(json!({"nodeRef": {"name": name}, "phase": "Running"})),
    );
    let config = population.add(
        ObjectSpec::new(BOOTSTRAP, "KubeadmConfig", name)
            .label(CLUSTER_NAME, cluster)
            .controlled_by(machine)
            .spec(json!({"joinConfiguration": {"nodeRegistration": {"criSocket": "unix:///run/containerd/containerd.sock"}}})),
    );
    population
        .add(ObjectSpec::cluster_secret(name).label(CLUSTER_NAME, cluster).controlled_by(config));
    population.add(
        ObjectSpec::new(DOCKER, "DockerMachine", name)
            .label(CLUSTER_NAME, cluster)
            .finalizer("dockermachine.infrastructure.cluster.x-k8s.io")
            .controlled_by(machine)
            .spec(json!({"customImage": "kindest/node:v1.36.0",
                "providerID": format!("docker:////{name}")})),
    );
    machine
}
