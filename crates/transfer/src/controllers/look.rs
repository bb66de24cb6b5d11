//! Reading the managers of a cluster.

use std::collections::BTreeSet;

use capi::ResourceType;
use cluster::{ApiError, Client};
use futures::{StreamExt, TryStreamExt};

use super::manager::{Manager, Observation, managers};
use crate::inventory::Provider;

/// Namespaces read at once.
const NAMESPACES_IN_FLIGHT: usize = 4;

/// Returns the namespaces in which the managers of providers run.
pub(crate) fn namespaces(providers: &[Provider]) -> BTreeSet<String> {
    let named = providers.iter().filter(|provider| !provider.namespace.is_empty());
    named.map(|provider| provider.namespace.clone()).collect()
}

/// Reads the managers of these namespaces.
///
/// # Errors
/// When a list fails.
pub(crate) async fn look(
    cluster: &Client,
    namespaces: &BTreeSet<String>,
) -> Result<Vec<Manager>, ApiError> {
    let found = futures::stream::iter(namespaces)
        .map(|namespace| look_into(cluster, namespace))
        .buffered(NAMESPACES_IN_FLIGHT)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

/// The Leases are read first: a pod that one of them names is in the later list of pods, or is
/// gone.
async fn look_into(cluster: &Client, namespace: &str) -> Result<Vec<Manager>, ApiError> {
    let deployments = ResourceType::new("apps/v1", "Deployment", "deployments", true);
    let deployments = cluster.list(&deployments, Some(namespace)).await?;
    if deployments.is_empty() {
        return Ok(Vec::new());
    }
    let leases = cluster.list(&lease_type(), Some(namespace)).await?;
    let pods = cluster.list(&pod_type(), Some(namespace)).await?;
    Ok(managers(&Observation { deployments, pods, leases }))
}

pub(super) fn lease_type() -> ResourceType {
    ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true)
}

pub(super) fn pod_type() -> ResourceType {
    ResourceType::core("Pod", "pods")
}
