//! The resource types of a fleet.

use std::sync::LazyLock;

use capi::{ResourceType, well_known};

type Kind = LazyLock<ResourceType>;

const CORE: &str = "cluster.x-k8s.io/v1beta2";
const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io/v1beta2";
const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io/v1beta2";
const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io/v1beta2";

pub(super) static CLUSTER: Kind = Kind::new(|| namespaced(CORE, "Cluster"));
pub(super) static MACHINE: Kind = Kind::new(|| namespaced(CORE, "Machine"));
pub(super) static MACHINE_SET: Kind = Kind::new(|| namespaced(CORE, "MachineSet"));
pub(super) static MACHINE_DEPLOYMENT: Kind = Kind::new(|| namespaced(CORE, "MachineDeployment"));
pub(super) static DOCKER_CLUSTER: Kind = Kind::new(|| namespaced(INFRASTRUCTURE, "DockerCluster"));
pub(super) static DOCKER_MACHINE: Kind = Kind::new(|| namespaced(INFRASTRUCTURE, "DockerMachine"));
pub(super) static DOCKER_MACHINE_TEMPLATE: Kind =
    Kind::new(|| namespaced(INFRASTRUCTURE, "DockerMachineTemplate"));
pub(super) static KUBEADM_CONFIG: Kind = Kind::new(|| namespaced(BOOTSTRAP, "KubeadmConfig"));
pub(super) static KUBEADM_CONFIG_TEMPLATE: Kind =
    Kind::new(|| namespaced(BOOTSTRAP, "KubeadmConfigTemplate"));
pub(super) static KUBEADM_CONTROL_PLANE: Kind =
    Kind::new(|| namespaced(CONTROL_PLANE, "KubeadmControlPlane"));
pub(super) static SECRET: Kind = Kind::new(well_known::secret);

fn namespaced(api_version: &str, kind: &str) -> ResourceType {
    ResourceType::new(api_version, kind, &format!("{}s", kind.to_lowercase()), true)
}
