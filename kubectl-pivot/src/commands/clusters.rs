//! Clusters as every command finds them, whatever version of Cluster API a cluster serves.

use capi::ResourceType;
use cluster::{ApiError, Client, Served};

/// Returns the resource of the kind Cluster; `None` if this is not a management cluster.
pub(super) async fn cluster_type(cluster: &Client) -> Result<Option<ResourceType>, ApiError> {
    let served = Served::read(cluster).await?;
    Ok(served.versions("cluster.x-k8s.io", "Cluster").first().cloned())
}
