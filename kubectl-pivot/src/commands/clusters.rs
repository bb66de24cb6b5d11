//! Clusters as every command finds them, whatever version of Cluster API a cluster serves.

use crate::capi::ResourceType;
use crate::cluster::{ApiError, Client, Served};

/// How a cluster serves the kind Cluster; `None` when it is no management cluster.
pub(super) async fn cluster_type(cluster: &Client) -> Result<Option<ResourceType>, ApiError> {
    let served = Served::read(cluster).await?;
    Ok(served.versions("cluster.x-k8s.io", "Cluster").first().cloned())
}
