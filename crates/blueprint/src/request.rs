//! The request to the plugins.

use capi::is_cluster_api;
use cluster::{ApiError, Client, Served};
use kubectl_pivot_plugin_api::{ClusterRequest, ServedKind};
use probes::served_kinds;
use serde_json::{Map, Value};

/// A cluster, and the plugins that describe it.
#[derive(Clone, Debug, Default)]
pub struct BlueprintRequest {
    /// Name of the cluster.
    pub name: String,
    /// Namespace of its objects.
    pub namespace: String,
    /// Name of the infrastructure plugin.
    pub infrastructure: String,
    /// Name of the CNI plugin; the infrastructure plugin decides if absent.
    pub cni: Option<String>,
    /// Objects of the user's own network, which needs no plugin.
    pub cni_manifests: Option<Vec<Value>>,
    /// Values for the chart of the network, over those of the plugins.
    pub cni_values: Map<String, Value>,
    /// Variables of both plugins; a later one wins.
    pub variables: Vec<(String, Value)>,
    /// Kubernetes version of the machines.
    pub kubernetes_version: Option<String>,
    /// Kinds of Cluster API that the management cluster serves; empty if that is not known.
    pub served: Vec<ServedKind>,
    /// Versions that the user gives infrastructure providers, by their names in clusterctl.
    pub infrastructure_versions: Vec<(String, String)>,
    /// Version of Cluster API, where that is all that is known.
    pub capi_version: Option<String>,
    /// True if the network is needed.
    pub wants_network: bool,
    /// True if variables that are required may lack: a cluster is removed, and not described.
    pub is_removal: bool,
}

impl BlueprintRequest {
    /// The value that the user has given a variable.
    pub(super) fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    pub(super) fn cluster(&self) -> ClusterRequest {
        ClusterRequest {
            namespace: self.namespace.clone(),
            kubernetes_version: self.kubernetes_version.clone(),
            served: self.served.clone(),
            capi_version: self.capi_version.clone(),
            ..ClusterRequest::named(&self.name)
        }
    }
}

/// The kinds of Cluster API that a cluster serves, in order; those of new CRDs are waited for.
/// Empty: it is no management cluster.
///
/// # Errors
/// When a request fails.
pub async fn served_by(cluster: &Client) -> Result<Vec<ServedKind>, ApiError> {
    let kinds = served_kinds(&Served::read_settled(cluster, is_cluster_api).await?);
    let is_management_cluster = kinds.iter().any(|kind| kind.kind == "Cluster");
    Ok(if is_management_cluster { kinds } else { Vec::new() })
}
