//! Answers of plugins to a request: providers, the bootstrap cluster, manifests, the network.
//!
//! One infrastructure plugin and one network, with checked variables. Plugins only describe;
//! nothing here talks to a cluster, and the one program that is run is the clusterctl that fills in
//! the template of a provider.

mod cni_cluster;
mod design;
mod error;
mod kube_proxy;
mod network;
mod nulls;
mod request;
mod template;
mod user_variables;

pub use design::Blueprint;
pub use error::BlueprintError;
pub use kube_proxy::control_plane_with_kube_proxy;
pub use network::{NetworkPlan, unknown_endpoint};
pub use nulls::without_nulls;
pub use request::{BlueprintRequest, served_by};
pub use template::{Clusterctl, KeptTemplate, TemplateError};
