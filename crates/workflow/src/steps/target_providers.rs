//! Until the target's providers work: available, and their webhooks answer.

use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::apply::ensure_namespace;
use crate::support::probes::ProbeTargets;
use crate::support::providers;

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let target = step_context.target().await?;
    ensure_namespace(&target, &step_context.spec().namespace, &serde_json::Value::Null).await?;
    providers::answering(step_context, &target, ProbeTargets::Target(&target)).await
}

pub(super) fn sketch(_: &DryRun<'_>) -> StepPreview {
    StepPreview::says(
        "waits until the Deployments of the providers are available, the probes of the plugins \
         hold, and a dry-run of the cluster's objects passes their webhooks",
    )
}
