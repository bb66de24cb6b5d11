//! The variables that every kubeadm cluster has, whatever it runs on.

use serde_json::json;

use crate::variable::{Variable, VariableType};

/// Names of the variables in [`common_variables`].
pub mod names {
    /// Kubernetes version.
    pub const KUBERNETES_VERSION: &str = "kubernetes-version";
    /// Control plane machines.
    pub const CONTROL_PLANE_REPLICAS: &str = "control-plane-replicas";
    /// Worker machines.
    pub const WORKER_REPLICAS: &str = "worker-replicas";
    /// Ranges for pods.
    pub const POD_CIDRS: &str = "pod-cidrs";
    /// Ranges for services.
    pub const SERVICE_CIDRS: &str = "service-cidrs";
    /// DNS domain of services.
    pub const SERVICE_DOMAIN: &str = "service-domain";
    /// Names in the API server's certificate.
    pub const CERT_SANS: &str = "cert-sans";
    /// Feature: names of objects start with the name of the cluster.
    pub const PREFIX_NAMES: &str = "prefix-names";
    /// Settings of kubeadm for the control plane, as [`NodeSettings`](crate::capi::NodeSettings).
    pub const CONTROL_PLANE_NODES: &str = "control-plane-nodes";
    /// Settings of kubeadm for workers, as [`NodeSettings`](crate::capi::NodeSettings).
    pub const WORKER_NODES: &str = "worker-nodes";
    /// Further sets of workers, as a list of [`WorkerPool`](crate::capi::WorkerPool).
    pub const WORKER_POOLS: &str = "worker-pools";
    /// Feature: machines whose nodes are gone are replaced.
    pub const HEALTH_CHECK: &str = "health-check";
    /// Version of the manifests.
    pub const API_VERSION: &str = "api-version";
}

/// Variables for [`super::KubeadmCluster`], with their defaults.
pub fn common_variables() -> Vec<Variable> {
    use VariableType::{Boolean, CidrList, Integer, Json, List, String};
    vec![
        Variable::new(names::KUBERNETES_VERSION, String, "Kubernetes version of the machines")
            .with_default("v1.36.1"),
        Variable::new(
            names::CONTROL_PLANE_REPLICAS,
            Integer,
            "Number of control plane machines; odd, because each runs a member of etcd",
        )
        .with_default(1)
        .at_least(1),
        Variable::new(names::WORKER_REPLICAS, Integer, "Number of worker machines")
            .with_default(1)
            .at_least(0),
        Variable::new(names::POD_CIDRS, CidrList, "IP ranges for pods")
            .with_default(json!(["192.168.0.0/16"])),
        Variable::new(names::SERVICE_CIDRS, CidrList, "IP ranges for services")
            .with_default(json!(["10.96.0.0/12"])),
        Variable::new(names::SERVICE_DOMAIN, String, "DNS domain of services")
            .with_default("cluster.local"),
        Variable::new(
            names::CERT_SANS,
            List,
            "Names and addresses for which the API server's certificate is valid, besides its own",
        )
        .with_default(json!(["localhost", "127.0.0.1", "0.0.0.0"])),
        Variable::new(
            names::PREFIX_NAMES,
            Boolean,
            "Start the names of all objects with the name of the cluster, so that several \
             clusters can share a namespace",
        )
        .with_default(false),
        Variable::new(
            names::CONTROL_PLANE_NODES,
            Json,
            "Settings of kubeadm for the control plane: name, kubeletArgs, taints, files, \
             preKubeadmCommands, postKubeadmCommands, users, patches, kubeVip",
        ),
        Variable::new(names::WORKER_NODES, Json, "The same settings for workers"),
        Variable::new(
            names::WORKER_POOLS,
            Json,
            "Further sets of workers: a list of name, replicas, failureDomain, nodes",
        ),
        Variable::new(
            names::HEALTH_CHECK,
            Boolean,
            "Replace machines whose nodes are gone or not ready",
        )
        .with_default(false),
        Variable::new(
            names::API_VERSION,
            String,
            "Version of the manifests; auto takes the newest that the management cluster serves",
        )
        .with_default("auto")
        .one_of(&["auto", "v1beta1", "v1beta2"]),
    ]
}
