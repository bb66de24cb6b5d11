//! A Cluster whose name an earlier deletion had: what that deletion has left behind says nothing
//! about it.

use std::time::Duration;

use capi::Object;
use cluster::RetryPolicy;

use super::begun::{Begun, refuse_another_way};
use super::place::{Place, find, was_deleted};
use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::order::Step;
use crate::steps::{self, the_cluster};

/// A management cluster that is being deleted is not waited for.
const MANAGEMENT_CLUSTER_TIMEOUT: Duration = Duration::from_secs(15);

/// The place of the cluster.
pub(super) struct Found {
    pub(super) place: Place,
    /// True if an earlier deletion of this name is over, and this is another Cluster.
    is_another: bool,
}

/// Looks for the cluster. The end of a deletion is believed only if the management cluster does not
/// have it.
pub(super) async fn look(step_context: &StepContext<'_>) -> Result<Found, StepError> {
    let has_ended = steps::is_begun(step_context.folder()) || was_deleted(step_context)?;
    if !has_ended {
        refuse_another_way(step_context)?;
        let place = find(step_context).await?;
        if matches!(place, Place::Bootstrap) {
            refuse_another_server(step_context).await?;
        }
        if !matches!(place, Place::Nowhere) {
            return Ok(Found { place, is_another: false });
        }
    }
    if let Some(cluster) = ask(step_context).await {
        return Ok(Found { place: Place::Management(Box::new(cluster)), is_another: true });
    }
    refuse_another_way(step_context)?;
    Ok(Found { place: Place::Nowhere, is_another: false })
}

/// Takes the rest of an earlier deletion away if this one is about another Cluster.
pub(super) async fn start_over(step_context: &StepContext<'_>) -> Result<(), StepError> {
    if !look(step_context).await?.is_another {
        return Ok(());
    }
    step_context
        .events
        .note("an earlier deletion of this name is over; this one is of another Cluster");
    clean(&step_context.workflow.at(Step::DeleteBootstrap, step_context.events.clone())).await?;
    Ok(step_context.folder().clear()?)
}

/// Ends the earlier deletion, unless it went by way of another bootstrap cluster.
async fn clean(step_context: &StepContext<'_>) -> Result<(), StepError> {
    let spec = step_context.spec();
    if Begun::read(step_context)?.is_some_and(|begun| !begun.is_the_way_of(step_context)) {
        return Ok(());
    }
    if spec.bootstrap == Bootstrap::Kind
        && !step_context.kind().await?.has(&spec.bootstrap_name).await?
    {
        return Ok(());
    }
    let ended = match steps::is_begun(step_context.folder()) {
        true => steps::finish(step_context).await,
        false => steps::perform(step_context).await,
    };
    ended.map(drop)
}

/// The Cluster in the management cluster, if it answers.
async fn ask(step_context: &StepContext<'_>) -> Option<Object> {
    let management = step_context.target().await.ok()?.with_retry(RetryPolicy::brief());
    let asked =
        tokio::time::timeout(MANAGEMENT_CLUSTER_TIMEOUT, the_cluster(step_context, &management))
            .await;
    asked.ok()?.ok()?
}

/// Fails if the user means the Cluster of another management cluster than that of the unfinished
/// deletion.
async fn refuse_another_server(step_context: &StepContext<'_>) -> Result<(), StepError> {
    let Some(begun) = Begun::read(step_context)? else { return Ok(()) };
    let Ok(management) = step_context.target().await else { return Ok(()) };
    if begun.server == management.server() {
        return Ok(());
    }
    match ask(step_context).await {
        Some(cluster) if cluster.uid() != begun.uid => Err(StepError::refused(
            format!(
                "the deletion of {} of {} is not finished, and {} has another one",
                cluster.id(),
                begun.server,
                management.server()
            ),
            "finish that first: name the kubeconfig of its management cluster with --kubeconfig \
             FILE",
        )),
        _ => Ok(()),
    }
}
