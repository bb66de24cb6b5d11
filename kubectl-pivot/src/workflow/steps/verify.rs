//! Until everything that has to hold after a pivot holds in the target.

use crate::journal::Events;
use crate::transfer::{Acceptance, Check, Namespaces, accept};
use crate::workflow::context::Turn;
use crate::workflow::error::StepError;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::support::wait::{Seen, until};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let source = turn.bootstrap().await?;
    let target = turn.target().await?;
    let namespaces = Namespaces::One(turn.spec().namespace.clone());
    // Controllers write the status anew first; the Machines are watched when all else holds.
    let at_once = Acceptance { namespaces: namespaces.clone(), settle: std::time::Duration::ZERO };
    let settled = Acceptance { namespaces, settle: turn.spec().settle };
    until(turn, "the target manages itself", async || {
        for acceptance in [&at_once, &settled] {
            let checks = accept(&source, &target, acceptance, &Events::none()).await;
            let checks = checks.map_err(StepError::Phase)?;
            if let Some(broken) = checks.iter().find(|check| !check.holds()) {
                return Ok(Seen::NotYet(words(broken)));
            }
        }
        Ok(Seen::Yes(()))
    })
    .await?;
    Ok(format!("no Machine was replaced within {} s", turn.spec().settle.as_secs()))
}

fn words(check: &Check) -> String {
    let first = check.violations.first().map(String::as_str).unwrap_or_default();
    format!("{} does not hold: {first}", check.rule)
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Draft {
    Draft::says("waits until `kubectl pivot verify` has nothing to find")
        .and(format!("watches for {} s that no Machine is replaced", sketch.spec.settle.as_secs()))
}
