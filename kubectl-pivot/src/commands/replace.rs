//! `replace`: a new management cluster in the place of an old one, which stays, paused.
//!
//! Nothing local is needed to carry it on: `create` has the folder of its run, and the record of
//! the move says that the source stays. So the same command continues what was interrupted.

use std::time::Duration;

use cluster::KubeconfigRef;
use serde::Serialize;
use support::journal::{Event, Events};
use tools::Toolbox;
use transfer::{
    Acceptance, Check, Found, MoveError, Outcome, Phase, Report, Run, Stop, Waiting, accept, find,
    own_replacement,
};

use super::create::{CreateRequest, PivotReport, create};
use super::error::CommandError;
use super::move_clusters::{MoveRequest, connect, ended, move_clusters};

/// The request of `replace`.
#[derive(Clone, Debug)]
pub struct ReplaceRequest {
    /// The new cluster, if it is to be created; its kubeconfig is the target then.
    pub create: Option<CreateRequest>,
    /// The clusters, and what is copied.
    pub moving: MoveRequest,
    /// Time in which no Machine may be replaced afterwards.
    pub settle: Duration,
    /// Time for the controllers of the target to look at the copies.
    pub timeout: Duration,
}

/// The result of a replacement.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReplaceReport {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `ReplaceReport`.
    pub kind: &'static str,
    /// The report of `create`, with `-f`; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<PivotReport>,
    /// The report of the move into the new cluster.
    #[serde(rename = "move")]
    pub moved: Report,
    /// The checks of `verify`; none if nothing was moved.
    pub checks: Vec<Check>,
}

/// A replacement, with the run whose clusters it is about.
pub struct Replaced {
    /// The report.
    pub report: ReplaceReport,
    /// The clusters as they were named.
    pub moving: MoveRequest,
    /// The run.
    pub run: Run,
}

/// Creates the new cluster if that is wanted, moves everything into it, leaves the old one paused
/// and verifies.
///
/// # Errors
/// A step of `create` fails, the move fails, or is not confirmed. Findings and checks that fail are
/// in the report.
pub async fn replace(
    request: ReplaceRequest,
    (toolbox, events, stop): (Toolbox, &Events, &Stop),
    confirm: impl FnOnce(&Report) -> bool,
) -> Result<Replaced, CommandError> {
    let ReplaceRequest { create: wanted, mut moving, settle, timeout } = request;
    let mut created = None;
    if let Some(wanted) = wanted {
        let report = create(&wanted, toolbox, stop).await?;
        moving.target = KubeconfigRef::file(&report.kubeconfig);
        created = Some(report);
    }
    let run = connect(&moving, events, stop).await?;
    let begun = own_replacement(&run).await.map_err(MoveError::Unprepared)?;
    let moved = match begun {
        Some(_) if !moving.dry_run => carry_on(&run).await?,
        _ => move_clusters(&run, &moving, confirm).await?,
    };
    let checks = match moved.outcome {
        Outcome::Replaced => verify(&run, (settle, timeout), stop).await?,
        _ => Vec::new(),
    };
    let (api_version, kind) = (workflow::API_VERSION, "ReplaceReport");
    let report = ReplaceReport { api_version, kind, created, moved, checks };
    Ok(Replaced { report, moving, run })
}

/// Deletes what a replacement has left in the old cluster.
///
/// # Errors
/// There is nothing that was left, the two clusters are not what they were, or a deletion fails.
pub async fn delete_old(run: &Run) -> Result<Report, CommandError> {
    let mut report = Report::blank(run);
    let left = found(run).await?.record().cloned().filter(|record| record.leaves);
    let result = match left {
        Some(record) if !can_be_deleted(record.phase) => Err(MoveError::NoRun(format!(
            "the replacement {} is not finished (phase: {}); `kubectl pivot replace` finishes it",
            record.run, record.phase
        ))),
        None => Err(MoveError::NoRun(
            "no replacement was found in these two clusters, so there is nothing to delete"
                .to_owned(),
        )),
        Some(record) if record.phase.is_left() && record.phase != Phase::Left => {
            // It was interrupted before its rest, which comes first.
            match transfer::resume(run, false, &mut report).await {
                Ok(()) => transfer::resume(run, false, &mut report).await,
                failed => failed,
            }
        }
        Some(_) => transfer::resume(run, false, &mut report).await,
    };
    ended(run, report, result)
}

/// Returns whether what was left may be deleted, or its deletion continues.
fn can_be_deleted(phase: Phase) -> bool {
    phase.is_left() || matches!(phase, Phase::Deleting | Phase::Resuming | Phase::Finished)
}

async fn found(run: &Run) -> Result<Found, CommandError> {
    let found = find(&run.source, &run.target).await;
    found.map_err(|error| CommandError::Move(MoveError::Unprepared(error)))
}

async fn carry_on(run: &Run) -> Result<Report, CommandError> {
    let mut report = Report::blank(run);
    let result = transfer::resume(run, false, &mut report).await;
    ended(run, report, result)
}

async fn verify(
    run: &Run,
    (settle, timeout): (Duration, Duration),
    stop: &Stop,
) -> Result<Vec<Check>, CommandError> {
    let (namespaces, choice) = (run.options.namespaces.clone(), run.options.choice.clone());
    let acceptance = Acceptance { namespaces, choice, settle };
    let waiting = Waiting { timeout, stop };
    run.events.started("verify", "Verify both clusters");
    let checks = accept(&run.source, &run.target, &acceptance, (&waiting, &run.events))
        .await
        .map_err(|error| CommandError::Move(MoveError::Unprepared(error)))?;
    match checks.iter().all(Check::holds) {
        true => run.events.finished(""),
        false => run.events.send(Event::Failed),
    }
    Ok(checks)
}
