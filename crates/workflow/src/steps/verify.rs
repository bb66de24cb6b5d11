//! Until everything that has to hold after a pivot holds in the target.

use std::time::Instant;

use kubectl_pivot_plugin_api::ProbeStage;
use transfer::{Acceptance, Check, Namespaces, PhaseError, Waiting, accept};

use crate::context::Turn;
use crate::error::StepError;
use crate::outline::{Draft, Sketch};
use crate::support::probes::{self, On};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let source = turn.bootstrap().await?;
    let target = turn.target().await?;
    let both = On::Both { bootstrap: &source, target: &target };
    let held = probes::hold(turn, ProbeStage::AfterMove, both).await?;
    let (began, settle) = (Instant::now(), turn.spec().settle);
    let namespaces = Namespaces::One(turn.spec().namespace.clone());
    let waiting = Waiting { timeout: turn.timeout(), stop: &turn.workflow.stop };
    let acceptance = Acceptance { namespaces, choice: turn.spec().choice(), settle };
    let checks = accept(&source, &target, &acceptance, (&waiting, &turn.events)).await;
    let checks = checks.map_err(|error| match error {
        PhaseError::Interrupted => StepError::Interrupted,
        error => StepError::Phase(error),
    })?;
    let broken: Vec<String> =
        checks.iter().filter(|check| !check.holds()).map(Check::to_string).collect();
    if !broken.is_empty() {
        return Err(failure(turn, began.elapsed() >= turn.timeout(), broken.join("; ")));
    }
    let held = probes::words(held);
    Ok(format!("{held}, no Machine was replaced within {} s", settle.as_secs()))
}

fn failure(turn: &Turn<'_>, is_too_late: bool, last: String) -> StepError {
    if is_too_late {
        let what = "the target manages itself".to_owned();
        return StepError::TimedOut { what, seconds: turn.timeout().as_secs(), last };
    }
    let hint = "find out the reason in the target; replaced machines do not come back";
    StepError::refused(format!("the target does not manage itself as it should: {last}"), hint)
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Draft {
    Draft::says(
        "waits until the probes of the plugins hold, and `kubectl pivot verify` has nothing to \
         find",
    )
    .and(format!("watches for {} s that no Machine is replaced", sketch.spec.settle.as_secs()))
}
