//! Until the first machine of the control plane serves an API.

use capi::{Object, unprovisioned_reason};
use cluster::Client;
use kubectl_pivot_plugin_api::ProbeStage;

use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::clusters;
use crate::support::moved::moved_away;
use crate::support::probes::{self, ProbeTargets};
use crate::support::wait::{Poll, until};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let cluster = step_context.bootstrap().await?;
    if let Some(words) = moved_away(step_context, &cluster).await? {
        return Ok(words.to_owned());
    }
    probes::hold(step_context, ProbeStage::ClusterCreated, ProbeTargets::Bootstrap(&cluster))
        .await?;
    until(step_context, "the control plane of the target is initialised", async || {
        match the_cluster(step_context, &cluster).await? {
            // It has moved already; this run continues behind the move.
            None => Ok(Poll::Ready("the cluster is not in the bootstrap cluster any more")),
            Some(object) => Ok(match unprovisioned_reason(&object) {
                None => Poll::Ready("initialised"),
                Some(reason) => Poll::Pending(format!("{}: {reason}", object.id())),
            }),
        }
    })
    .await
    .map(str::to_owned)
}

/// The Cluster of this run in a management cluster.
pub(crate) async fn the_cluster(
    step_context: &StepContext<'_>,
    client: &Client,
) -> Result<Option<Object>, StepError> {
    let Some(kind) = clusters::kind(client).await? else { return Ok(None) };
    Ok(client.get(&kind, Some(&step_context.spec().namespace), &step_context.spec().name).await?)
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> StepPreview {
    StepPreview::says(format!(
        "waits until the probes of the plugins hold, Cluster {}/{} is provisioned and its control \
         plane is initialised",
        sketch.spec.namespace, sketch.spec.name
    ))
}
