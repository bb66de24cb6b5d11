//! Providers that `clusterctl init` has to install.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The Cluster API providers of a management cluster, by their `clusterctl` names.
///
/// A name may carry a version, as in `docker:v1.14.2`; without one, the newest is taken. The
/// same providers go into the bootstrap cluster and the target, because a move needs in the
/// target every provider of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct ProvidersToInit {
    /// The core provider; `clusterctl` takes `cluster-api` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core: Option<String>,
    /// Bootstrap providers; `clusterctl` takes `kubeadm` if empty.
    pub bootstrap: Vec<String>,
    /// Control plane providers; `clusterctl` takes `kubeadm` if empty.
    pub control_plane: Vec<String>,
    /// Infrastructure providers.
    pub infrastructure: Vec<String>,
    /// Add-on providers, for example `helm`.
    pub addon: Vec<String>,
    /// IPAM providers, for example `in-cluster`. Since protocol 1.1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ipam: Vec<String>,
    /// Runtime extension providers. Since protocol 1.1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runtime_extension: Vec<String>,
    /// Environment of `clusterctl init`, for example feature gates.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

impl ProvidersToInit {
    /// The core, kubeadm bootstrap and kubeadm control plane providers with `infrastructure`.
    pub fn kubeadm(infrastructure: &str) -> Self {
        Self {
            core: Some("cluster-api".to_owned()),
            bootstrap: vec!["kubeadm".to_owned()],
            control_plane: vec!["kubeadm".to_owned()],
            infrastructure: vec![infrastructure.to_owned()],
            ..Self::default()
        }
    }
}
