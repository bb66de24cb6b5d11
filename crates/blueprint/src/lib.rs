//! Answers of plugins to a request: providers, the bootstrap cluster, manifests, the network.
//!
//! One infrastructure plugin and one network, with checked variables. Plugins only describe;
//! nothing here talks to a cluster or runs a program.

mod about;
mod design;
mod error;
mod kube_proxy;
mod network;
mod request;
mod user_variables;

pub use design::Blueprint;
pub use error::BlueprintError;
pub use kube_proxy::control_plane_with_kube_proxy;
pub use network::{NetworkPlan, unknown_endpoint};
pub use request::{BlueprintRequest, served_by};
