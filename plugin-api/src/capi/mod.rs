//! Cluster API for infrastructure plugins: versions, references, and the objects that every
//! kubeadm cluster has.
//!
//! Everything here is a convenience; a plugin may render its objects in any other way.

mod health;
mod kube_vip;
mod kubeadm;
mod pools;
mod probes;
mod settings;
mod topology;
mod variables;
mod version;

pub use kube_vip::KubeVip;
pub use kubeadm::{Infrastructure, KubeadmCluster, checked_kubernetes_version};
pub use pools::WorkerPool;
pub use probes::{controller_available, infrastructure_provisioned};
pub use settings::{File, NodeSettings, Taint, User};
pub use variables::{common_variables, names};
pub use version::{ApiVersion, VersionChoice};

/// API group of Cluster and MachineDeployment.
pub const CORE: &str = "cluster.x-k8s.io";
/// API group of KubeadmConfigTemplate.
pub const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io";
/// API group of KubeadmControlPlane.
pub const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io";
/// API group of the infrastructure providers.
pub const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io";
