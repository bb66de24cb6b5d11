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
//! This is `examples/potato.rs`, which the conformance kit accepts.
//!
//! ```
#![doc = include_str!("../examples/potato.rs")]
//! # #[cfg(feature = "testing")]
//! # kubectl_pivot_plugin_api::testing::assert_infrastructure(&Potato);
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
pub mod templated;
#[cfg(feature = "testing")]
pub mod testing;
pub mod values;

mod addons;
mod bootstrap;
mod capabilities;
mod cluster;
mod cni;
mod error;
mod export;
mod info;
mod log;
mod manifests;
mod move_knowledge;
mod probe;
mod program;
mod provider;
mod providers;
mod reach;
#[cfg(feature = "schema")]
pub mod schema;
mod template;
mod variable;

pub use addons::{Addon, AddonPlan, Addons, AddonsRequest};
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
pub use move_knowledge::{
    Companion, MoveKnowledge, MoveRequest, MovedKind, PauseAnnotation, RestCondition,
};
pub use probe::{Probe, ProbeCluster, ProbeStage, ProbesRequest};
pub use program::{ProgramCall, ProgramReply};
pub use protocol::{ABI_LEVEL, Host, PROTOCOL, ProtocolVersion};
pub use provider::{CniProvider, InfrastructureProvider};
pub use providers::ProvidersToInit;
pub use reach::{Query, Reach};
pub use template::{ClusterctlTemplate, TemplatePatch};
pub use values::Values;
pub use variable::{Variable, VariableType};
