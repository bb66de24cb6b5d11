//! The move, in the other direction: out of the cluster that is to go.

use super::itself;
use super::place::{self, Place};
use crate::context::Turn;
use crate::error::StepError;
use crate::steps::{move_between, new_move};
use crate::support::mark::{self, Mark};
use crate::support::providers::is_webhook_silent;
use crate::support::wait::{Seen, until};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let place = place::find(turn).await?;
    if matches!(place, Place::Nowhere) {
        return Ok("was moved before".to_owned());
    }
    let bootstrap = turn.bootstrap().await?;
    let summary = match place {
        Place::Bootstrap => "was moved before".to_owned(),
        _ => {
            let management = turn.target().await?;
            if matches!(place, Place::Management(_)) {
                await_webhooks(turn).await?;
            }
            // Somebody may have created another Cluster, or paused this one, while the bootstrap
            // cluster was made.
            if let Place::Management(cluster) = place::find(turn).await? {
                itself::check_all(turn, &management, &cluster).await?;
            }
            move_between(turn, &management, &bootstrap, async || Ok(())).await?
        }
    };
    // From here on the management cluster is not asked again: it may go at any time.
    mark::write(&bootstrap, turn.owner(), &Mark { applied: true }).await?;
    Ok(summary)
}

/// Right after an installation webhooks may refuse connections, whatever the Deployments say.
async fn await_webhooks(turn: &Turn<'_>) -> Result<(), StepError> {
    let run = new_move(turn, &turn.target().await?, &turn.bootstrap().await?);
    until(turn, "the webhooks of the bootstrap cluster answer", async || {
        // Any other problem is for the move to report.
        let Ok((preflight, _)) = transfer::plan(&run).await else { return Ok(Seen::Yes(())) };
        let silent = preflight.findings.errors().map(ToString::to_string);
        Ok(match silent.into_iter().find(|text| is_webhook_silent(text)) {
            Some(text) => Seen::NotYet(text),
            None => Seen::Yes(()),
        })
    })
    .await
}
