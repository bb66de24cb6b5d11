//! Waiting between two batches until the Clusters that have moved are Available in the target.
//!
//! What keeps one of them from it, a missing image or an API of a cloud that does not answer, would
//! keep those of the next batch from it too.

use std::time::{Duration, Instant};

use capi::names::CORE_GROUP;
use capi::{Condition, Object, ResourceType, is_paused};

use super::batches::Batches;
use super::error::PhaseError;
use super::kinds;
use super::run::Run;

/// Pause between two looks.
const AVAILABLE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Waits for the Clusters of the batch that is over, as long as the record says. One that its user
/// has paused is not waited for.
///
/// # Errors
/// [`PhaseError::NotAvailable`] with the first that is not in time; or a request fails.
pub(super) async fn wait_until_available(run: &Run, batches: &Batches) -> Result<(), PhaseError> {
    let patience = Duration::from_secs(batches.wait_available_seconds);
    if patience.is_zero() {
        return Ok(());
    }
    let kinds = kinds::read(&run.target).await?;
    let is_it = |kind: &&ResourceType| kind.kind == "Cluster" && kind.group == CORE_GROUP;
    let Some(clusters) = kinds.iter().map(|kind| &kind.resource).find(is_it) else {
        return Ok(());
    };
    let begun = Instant::now();
    loop {
        let listed = run.target.list(clusters, run.options.namespaces.selector()).await?;
        let Some(object) = first_unavailable(&listed, batches) else { return Ok(()) };
        let (object, seconds) = (object.id(), begun.elapsed().as_secs());
        if begun.elapsed() >= patience {
            return Err(PhaseError::NotAvailable { object, seconds });
        }
        run.events.doing(format!("waiting until {object} is Available in the target"));
        run.stop.wait(AVAILABLE_CHECK_INTERVAL).await;
        run.stop.check()?;
    }
}

fn first_unavailable<'a>(listed: &'a [Object], batches: &Batches) -> Option<&'a Object> {
    listed.iter().find(|cluster| {
        let is_own = batches.own().any(|(namespace, name)| {
            (cluster.namespace(), cluster.name()) == (Some(namespace.as_str()), name.as_str())
        });
        is_own
            && !is_paused(cluster)
            && !cluster.condition("Available").is_some_and(Condition::is_true)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::batches::group;

    #[test]
    fn only_clusters_of_the_batch_that_work_are_waited_for() {
        let cluster = |name: &str, spec: Value, status: &str| {
            Object::new(json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
                "metadata": {"namespace": "n", "name": name}, "spec": spec,
                "status": {"conditions": [{"type": "Available", "status": status}]}}))
        };
        let own = ["a", "b"].map(|name| ("n".to_owned(), name.to_owned())).to_vec();
        let batches = Batches { plan: group(vec![own], 2), ..Batches::default() };
        let listed = [
            cluster("a", json!({}), "True"),
            cluster("b", json!({"paused": true}), "False"),
            cluster("other", json!({}), "False"),
            cluster("b", json!({}), "Unknown"),
        ];
        assert!(first_unavailable(&listed[..3], &batches).is_none());
        assert_eq!(first_unavailable(&listed, &batches).map(Object::name), Some("b"));
    }
}
