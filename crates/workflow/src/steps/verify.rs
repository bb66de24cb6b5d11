//! Until everything that has to hold after a pivot holds in the target.

use std::time::Instant;

use kubectl_pivot_plugin_api::ProbeStage;
use transfer::{Acceptance, Check, Namespaces, PhaseError, Waiting, accept};

use super::left;
use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::probes::{self, ProbeTargets};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let source = step_context.bootstrap().await?;
    let target = step_context.target().await?;
    let both = ProbeTargets::Both { bootstrap: &source, target: &target };
    let held = probes::hold(step_context, ProbeStage::AfterMove, both).await?;
    let (began, settle) = (Instant::now(), step_context.spec().settle);
    let namespaces = Namespaces::One(step_context.spec().namespace.clone());
    let waiting = Waiting { timeout: step_context.timeout(), stop: &step_context.workflow.stop };
    let acceptance = Acceptance { namespaces, choice: step_context.spec().choice(), settle };
    let accepted = accept(&source, &target, &acceptance, (&waiting, &step_context.events));
    let checks = left::held_during(step_context, accepted).await;
    let checks = checks.map_err(|error| match error {
        PhaseError::Interrupted => StepError::Interrupted,
        error => StepError::Phase(error),
    })?;
    let broken: Vec<String> =
        checks.iter().filter(|check| !check.holds()).map(Check::to_string).collect();
    if !broken.is_empty() {
        return Err(failure(
            step_context,
            began.elapsed() >= step_context.timeout(),
            broken.join("; "),
        ));
    }
    let held = probes::words(held);
    Ok(format!("{held}, no Machine was replaced within {} s", settle.as_secs()))
}

fn failure(step_context: &StepContext<'_>, is_too_late: bool, last: String) -> StepError {
    if is_too_late {
        let what = "the target manages itself".to_owned();
        return StepError::TimedOut { what, seconds: step_context.timeout().as_secs(), last };
    }
    let hint = "find out the reason in the target; replaced machines do not come back";
    StepError::refused(format!("the target does not manage itself as it should: {last}"), hint)
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> StepPreview {
    StepPreview::says(
        "waits until the probes of the plugins hold, and `kubectl pivot verify` has nothing to \
         find",
    )
    .and(format!("watches for {} s that no Machine is replaced", sketch.spec.settle.as_secs()))
}
