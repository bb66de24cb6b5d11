//! The move itself: the shared routine, or what is left of it after an interruption.

use kubectl_pivot_plugin_api::ProbeStage;

use super::control_plane::the_cluster;
use crate::causes::in_one_line;
use crate::transfer::{self, MoveError, MoveOptions, Namespaces, Phase, Report, Run};
use crate::workflow::context::Turn;
use crate::workflow::error::StepError;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::support::probes::{self, On};
use crate::workflow::support::wait::{Seen, until};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let source = turn.bootstrap().await?;
    let target = turn.target().await?;
    let run = Run {
        id: format!("{:08x}", rand::random::<u32>()),
        source: source.clone(),
        target: target.clone(),
        options: MoveOptions::new(Namespaces::One(turn.spec().namespace.clone())),
        events: turn.events.clone(),
        stop: turn.workflow.stop.clone(),
    };
    let found = transfer::find(&source, &target).await.map_err(StepError::Phase)?;
    match found.record().map(|record| record.phase) {
        Some(Phase::Undoing) => put_back(turn, &run).await?,
        Some(_) => return carry_on(turn, &run).await,
        None => {}
    }
    if the_cluster(turn, &source).await?.is_none() {
        if the_cluster(turn, &target).await?.is_some() {
            return Ok("was moved before".to_owned());
        }
        let (namespace, name) = (&turn.spec().namespace, &turn.spec().name);
        return Err(StepError::refused(
            format!(
                "Cluster {namespace}/{name} is in neither the bootstrap cluster nor the target"
            ),
            "find out who has deleted it; nothing is applied again by itself",
        ));
    }
    let both = On::Both { bootstrap: &source, target: &target };
    probes::hold(turn, ProbeStage::BeforeMove, both).await?;
    let (preflight, mut report) = transfer::plan(&run).await?;
    if preflight.findings.has_errors() {
        return Err(MoveError::Refused(preflight.findings).into());
    }
    transfer::execute(&run, preflight, &mut report).await?;
    Ok(format!("{} objects", report.objects()))
}

/// Finishes the rollback of an earlier move, after which the Cluster is moved anew.
async fn put_back(turn: &Turn<'_>, run: &Run) -> Result<(), StepError> {
    let put_back = until(turn, "the lock of the interrupted move is free", async || {
        let rolled_back = transfer::rollback(run, false).await;
        match rolled_back {
            // Without a run somebody else has put it back meanwhile.
            Ok(_) | Err(MoveError::NoRun(_)) => Ok(Seen::Yes(())),
            Err(error @ MoveError::Locked(_)) => Ok(Seen::NotYet(in_one_line(&error))),
            Err(error) => Err(error.into()),
        }
    });
    put_back.await
}

/// The lock of a run that was killed expires half a minute after its last renewal.
async fn carry_on(turn: &Turn<'_>, run: &Run) -> Result<String, StepError> {
    let report = until(turn, "the lock of the interrupted move is free", async || {
        let mut report = Report::blank(run);
        match transfer::resume(run, false, &mut report).await {
            Ok(()) => Ok(Seen::Yes(report)),
            Err(error @ MoveError::Locked(_)) => Ok(Seen::NotYet(in_one_line(&error))),
            Err(error) => Err(error.into()),
        }
    });
    let report = report.await?;
    Ok(format!("{} objects, after an interruption", report.objects()))
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Draft {
    Draft::says("waits until the probes of the plugins hold").and(format!(
        "moves everything of namespace {} from the bootstrap cluster to the target, as `kubectl pivot \
         move` does: checked before, verified before anything is deleted",
        sketch.spec.namespace
    ))
}
