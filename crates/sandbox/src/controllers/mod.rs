//! Cluster API's own controllers as local processes: the managers of core, kubeadm bootstrap and
//! kubeadm control plane for each cluster, and one in-memory provider for all of them.
//!
//! The in-memory provider keeps the machines and the workload clusters in its memory, so a second
//! one would not know them. It reaches the clusters through the relay, which leads to the cluster
//! that has active Clusters; a move turns it by what it does to the Clusters, without knowing of
//! it.

mod conversion;
mod effect;
mod endpoint;
mod host;
mod manager;
mod parts;
mod plan;
pub(crate) mod relay;
mod run;
mod start;
mod webhooks;

pub use host::ManagerHost;
pub(super) use parts::ControllerParts;
pub use parts::ControllersOptions;
pub(super) use plan::Plan;
pub(super) use run::Controllers;
pub(super) use start::{Access, Management, start};
