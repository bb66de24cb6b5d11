//! Until the first machine of the control plane serves an API.

use capi::{Object, unprovisioned_reason};
use cluster::Client;
use kubectl_pivot_plugin_api::ProbeStage;

use crate::context::Turn;
use crate::error::StepError;
use crate::outline::{Draft, Sketch};
use crate::support::clusters;
use crate::support::probes::{self, On};
use crate::support::wait::{Seen, until};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let cluster = turn.bootstrap().await?;
    if the_cluster(turn, &cluster).await?.is_some() {
        probes::hold(turn, ProbeStage::ClusterCreated, On::Bootstrap(&cluster)).await?;
    }
    until(turn, "the control plane of the target is initialised", async || {
        match the_cluster(turn, &cluster).await? {
            // It has moved already; this run continues behind the move.
            None => Ok(Seen::Yes("the cluster is not in the bootstrap cluster any more")),
            Some(object) => Ok(match unprovisioned_reason(&object) {
                None => Seen::Yes("initialised"),
                Some(reason) => Seen::NotYet(format!("{}: {reason}", object.id())),
            }),
        }
    })
    .await
    .map(str::to_owned)
}

/// The Cluster of this run in a management cluster.
pub(crate) async fn the_cluster(
    turn: &Turn<'_>,
    client: &Client,
) -> Result<Option<Object>, StepError> {
    let Some(kind) = clusters::kind(client).await? else { return Ok(None) };
    Ok(client.get(&kind, Some(&turn.spec().namespace), &turn.spec().name).await?)
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Draft {
    Draft::says(format!(
        "waits until the probes of the plugins hold, Cluster {}/{} is provisioned and its control \
         plane is initialised",
        sketch.spec.namespace, sketch.spec.name
    ))
}
