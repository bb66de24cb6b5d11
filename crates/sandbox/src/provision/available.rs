//! Waiting until Clusters are Available.

use std::time::{Duration, Instant};

use capi::Object;
use cluster::Client;
use support::journal::Events;

use super::manifests::clusters;
use crate::fleet::FleetError;

/// The time that the first Cluster may take; 20 to 45 s are usual on two cores.
const FIRST_CLUSTER_TIMEOUT: Duration = Duration::from_secs(180);
/// Time that each further one may add.
const FURTHER_CLUSTER_TIMEOUT: Duration = Duration::from_secs(20);
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Waits until these Clusters are Available.
///
/// # Errors
/// When a request fails, or one of them is not Available in time.
pub async fn wait_until_available(
    client: &Client,
    namespace: &str,
    names: &[String],
    events: &Events,
) -> Result<(), FleetError> {
    let begun = Instant::now();
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    let patience = FIRST_CLUSTER_TIMEOUT + FURTHER_CLUSTER_TIMEOUT.saturating_mul(count);
    loop {
        let found = client.list(&clusters(), Some(namespace)).await?;
        let states = names.iter().map(|name| (name, state_of(name, &found)));
        let waiting: Vec<(&String, String)> =
            states.filter_map(|(name, state)| Some((name, state?))).collect();
        let Some((name, state)) = waiting.first() else { return Ok(()) };
        if begun.elapsed() > patience {
            return Err(FleetError::NotAvailable {
                cluster: format!("{namespace}/{name}"),
                seconds: begun.elapsed().as_secs(),
                last_seen: state.clone(),
            });
        }
        let done = names.len() - waiting.len();
        events.doing(format!("{done} of {} Clusters Available; {name}: {state}", names.len()));
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Returns what a Cluster lacks; `None` when it is Available.
fn state_of(name: &str, found: &[Object]) -> Option<String> {
    let Some(cluster) = found.iter().find(|cluster| cluster.name() == name) else {
        return Some("it is not there".to_owned());
    };
    match cluster.condition("Available") {
        Some(condition) if condition.is_true() => None,
        Some(condition) => Some(condition.message()),
        None => Some("no controller has looked at it yet".to_owned()),
    }
}
