//! Names that a cluster has: none of them, if it does not answer.

use capi::{Object, well_known};
use cluster::{Client, KubeconfigRef};

use crate::commands::status::cluster_type;

/// A Cluster of a management cluster.
#[derive(Clone, Debug)]
pub struct ClusterName {
    /// Namespace of the Cluster.
    pub namespace: String,
    /// Name of the Cluster.
    pub name: String,
    /// True if the context of the kubeconfig has this namespace.
    pub is_default: bool,
}

/// Lists namespaces; none if the cluster does not answer.
pub async fn namespace_names(kubeconfig: KubeconfigRef) -> Vec<String> {
    let Ok(cluster) = Client::connect("cluster", &kubeconfig).await else { return Vec::new() };
    let kind = well_known::namespace();
    cluster
        .list_metadata(&kind, None)
        .await
        .unwrap_or_default()
        .iter()
        .map(|found| found.name().to_owned())
        .collect()
}

/// Lists Clusters; none if the cluster does not answer. A user who may not list all namespaces gets
/// those of `namespaces`, or of the context.
pub async fn cluster_names(kubeconfig: KubeconfigRef, namespaces: &[String]) -> Vec<ClusterName> {
    let Ok(cluster) = Client::connect("cluster", &kubeconfig).await else { return Vec::new() };
    let Ok(Some(kind)) = cluster_type(&cluster).await else { return Vec::new() };
    let default = cluster.default_namespace().to_owned();
    let mut found = cluster.list_metadata(&kind, None).await.unwrap_or_default();
    if found.is_empty() {
        let near = if namespaces.is_empty() { std::slice::from_ref(&default) } else { namespaces };
        for namespace in near {
            found.extend(cluster.list_metadata(&kind, Some(namespace)).await.unwrap_or_default());
        }
    }
    let name = |object: &Object| {
        let namespace = object.namespace()?.to_owned();
        Some(ClusterName {
            is_default: namespace == default,
            namespace,
            name: object.name().to_owned(),
        })
    };
    found.iter().filter_map(name).collect()
}
