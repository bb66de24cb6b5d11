//! Until the target's providers work: available, and their webhooks answer.

use crate::context::Turn;
use crate::error::StepError;
use crate::outline::{Draft, Sketch};
use crate::support::apply::ensure_namespace;
use crate::support::probes::On;
use crate::support::providers;

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let target = turn.target().await?;
    ensure_namespace(&target, &turn.spec().namespace, &serde_json::Value::Null).await?;
    providers::answering(turn, &target, On::Target(&target)).await
}

pub(super) fn sketch(_: &Sketch<'_>) -> Draft {
    Draft::says(
        "waits until the Deployments of the providers are available, the probes of the plugins \
         hold, and a dry-run of the cluster's objects passes their webhooks",
    )
}
