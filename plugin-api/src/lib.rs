//! The crate that the author of a `kubectl-pivot` plugin depends on.
//!
//! A plugin is a dynamic library that describes an infrastructure provider or a network between
//! pods. It is pure and synchronous, data in and data out: the host does all I/O, so a plugin
//! needs no async runtime, no Kubernetes client and no network, and is tested without a cluster.
//!
//! 1. Implement [`InfrastructureProvider`] or [`CniProvider`].
//! 2. Export it with [`export_plugin!`] from a crate of type `cdylib`.
//! 3. Call the conformance kit (feature `testing`) in `cargo test`.
//!
//! # A whole plugin
//!
//! ```
//! use kubectl_pivot_plugin_api::capi::{
//!     Infrastructure, KubeadmCluster, common_variables, controller_available,
//! };
//! use kubectl_pivot_plugin_api::{
//!     ClusterRequest, InfrastructureProvider, Manifests, Maturity, PluginInfo, PluginResult,
//!     Probe, ProbesRequest, ProvidersToInit, Values, Variable, VariableType, export_plugin,
//! };
//! use serde_json::json;
//!
//! struct Potato;
//!
//! impl InfrastructureProvider for Potato {
//!     fn info(&self) -> PluginInfo {
//!         PluginInfo {
//!             name: "potato".to_owned(),
//!             version: env!("CARGO_PKG_VERSION").to_owned(),
//!             maturity: Maturity::Alpha,
//!             description: "Clusters of single-board computers".to_owned(),
//!             provider: "potato".to_owned(),
//!             ..PluginInfo::default()
//!         }
//!     }
//!
//!     fn variables(&self) -> Vec<Variable> {
//!         let mut variables = common_variables();
//!         variables.push(
//!             Variable::new("potato-model", VariableType::String, "Model of the computers")
//!                 .with_default("le-potato")
//!                 .from_env("POTATO_MODEL"),
//!         );
//!         variables
//!     }
//!
//!     fn providers(&self, _: &ClusterRequest) -> PluginResult<ProvidersToInit> {
//!         Ok(ProvidersToInit::kubeadm("potato"))
//!     }
//!
//!     fn render(&self, cluster: &ClusterRequest) -> PluginResult<Manifests> {
//!         let values = Values::resolve(&self.variables(), &cluster.variables)?;
//!         let machine = json!({"model": values.text("potato-model")?});
//!         let objects = KubeadmCluster::new(cluster, &values)?.objects(&Infrastructure {
//!             cluster_kind: "PotatoCluster",
//!             cluster_spec: None,
//!             template_kind: "PotatoMachineTemplate",
//!             control_plane_machine: machine.clone(),
//!             worker_machine: machine,
//!         })?;
//!         Ok(objects.into())
//!     }
//!
//!     fn probes(&self, _: &ProbesRequest) -> PluginResult<Vec<Probe>> {
//!         Ok(controller_available("potato", "potato-system", "potato-controller-manager").into())
//!     }
//! }
//!
//! export_plugin!(infrastructure: Potato);
//!
//! # #[cfg(feature = "testing")]
//! kubectl_pivot_plugin_api::testing::assert_infrastructure(&Potato);
//! ```
//!
//! # What may change, and when
//!
//! See [`protocol`] for the rules that bind every type of this crate. In short: old plugins keep
//! working in new hosts; readers ignore what they do not know; structs grow, so build them with
//! `..Default::default()` and match enums with a wildcard.

pub mod abi;
pub mod capi;
pub mod cidr;
pub mod dispatch;
pub mod protocol;
pub mod stub;
#[cfg(feature = "testing")]
pub mod testing;
pub mod values;

mod bootstrap;
mod capabilities;
mod cluster;
mod cni;
mod error;
mod export;
mod info;
mod log;
mod manifests;
mod probe;
mod program;
mod provider;
mod providers;
#[cfg(feature = "schema")]
pub mod schema;
mod variable;

pub use bootstrap::{BootstrapRequirements, Credential, IpFamily, Mount, Tool};
pub use capabilities::{Capabilities, VersionRange};
pub use cluster::{ClusterRequest, ServedKind};
pub use cni::{
    CniChoice, CniCluster, CniInstall, CniPlan, CniRequest, Endpoint, HelmChart, merge_values,
};
pub use error::{ErrorCode, PluginError, PluginResult};
pub use info::{Maturity, PluginInfo, PluginKind, is_name};
pub use log::{LogLevel, log};
pub use manifests::Manifests;
pub use probe::{Probe, ProbeCluster, ProbeStage, ProbesRequest};
pub use program::{ProgramCall, ProgramReply};
pub use protocol::{ABI_LEVEL, Host, PROTOCOL, ProtocolVersion};
pub use provider::{CniProvider, InfrastructureProvider};
pub use providers::ProvidersToInit;
pub use values::Values;
pub use variable::{Variable, VariableType};
