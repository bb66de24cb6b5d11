//! The move, in the other direction: out of the cluster that is to go.

use super::itself;
use super::place::{self, Place};
use crate::context::StepContext;
use crate::error::StepError;
use crate::steps::{move_between, new_move};
use crate::support::mark::{self, Mark};
use crate::support::providers::is_webhook_silent;
use crate::support::wait::{Poll, until};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let place = place::find(step_context).await?;
    if matches!(place, Place::Nowhere) {
        return Ok("was moved before".to_owned());
    }
    let bootstrap = step_context.bootstrap().await?;
    let summary = match place {
        Place::Bootstrap => "was moved before".to_owned(),
        _ => {
            let management = step_context.target().await?;
            if matches!(place, Place::Management(_)) {
                await_webhooks(step_context).await?;
            }
            // Somebody may have created another Cluster, or paused this one, while the bootstrap
            // cluster was made.
            if let Place::Management(cluster) = place::find(step_context).await? {
                itself::check_all(step_context, &management, &cluster).await?;
            }
            move_between(step_context, &management, &bootstrap, async || Ok(())).await?
        }
    };
    // From here on the management cluster is not asked again: it may go at any time.
    mark::write(&bootstrap, step_context.owner(), &Mark { applied: true }).await?;
    Ok(summary)
}

/// Right after an installation webhooks may refuse connections, whatever the Deployments say.
async fn await_webhooks(step_context: &StepContext<'_>) -> Result<(), StepError> {
    let run =
        new_move(step_context, &step_context.target().await?, &step_context.bootstrap().await?);
    until(step_context, "the webhooks of the bootstrap cluster answer", async || {
        // Any other problem is for the move to report.
        let Ok((preflight, _)) = transfer::plan(&run).await else { return Ok(Poll::Ready(())) };
        let silent = preflight.findings.errors().map(ToString::to_string);
        Ok(match silent.into_iter().find(|text| is_webhook_silent(text)) {
            Some(text) => Poll::Pending(text),
            None => Poll::Ready(()),
        })
    })
    .await
}
