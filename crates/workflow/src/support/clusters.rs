//! Clusters in a management cluster that may just be starting: silence is no "there is none".

use capi::names::CORE_GROUP;
use capi::{ResourceType, well_known};
use cluster::{ApiError, Client, Served};

use crate::error::StepError;

const CRD: &str = "clusters.cluster.x-k8s.io";

/// Fails unless the API server is ready: while it starts, it does not name all that it serves.
pub(crate) async fn ready(cluster: &Client) -> Result<(), ApiError> {
    match cluster.get_text("/readyz").await {
        // A user who may not ask that may do little else, and other errors say so.
        Err(error) if error.is_forbidden() => Ok(()),
        other => other.map(drop),
    }
}

/// The kind Cluster as it is served; none where it was never installed.
pub(crate) async fn kind(cluster: &Client) -> Result<Option<ResourceType>, StepError> {
    let first = |served: &Served| served.versions(CORE_GROUP, "Cluster").first().cloned();
    if let Some(kind) = first(&Served::read(cluster).await?) {
        return Ok(Some(kind));
    }
    match cluster.get(&well_known::crd(), None, CRD).await {
        Ok(None) => return Ok(None),
        Err(error) if error.is_forbidden() => return Ok(None),
        other => drop(other?),
    }
    let settled = Served::read_settled(cluster, |group| group == CORE_GROUP).await?;
    first(&settled).map(Some).ok_or_else(|| {
        StepError::refused(
            format!("the {} cluster has the CRD {CRD} and does not serve Clusters", cluster.name()),
            format!("look at its conditions: kubectl describe crd {CRD}"),
        )
    })
}
