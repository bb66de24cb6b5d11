//! Carrying on an interrupted run from the two clusters alone, or putting it back.

use std::collections::HashMap;

use super::compare::{being_deleted, compare};
use super::copy::Copies;
use super::discover::{Territory, discover, list_everywhere};
use super::error::{MoveError, PhaseError};
use super::inventory::{self, Provider};
use super::lock::{self, Lease, Lock, LockError};
use super::mover::{execute_locked, finish_from, plan};
use super::preflight::{Preflight, check_health, survey};
use super::record::{Phase, Record, Role};
use super::report::{Outcome, Report};
use super::run::Run;
use super::undo::undo;
use crate::capi::names::RUN_ANNOTATION;
use crate::capi::{Fate, Graph};
use crate::cluster::Client;

/// The leases of both clusters.
#[derive(Clone, Debug)]
pub struct Found {
    /// The source's.
    pub source: Option<Lease>,
    /// The target's.
    pub target: Option<Lease>,
}

impl Found {
    /// The record that decides: the target's, or the source's if the run never got to the target.
    pub fn record(&self) -> Option<&Record> {
        let of = |lease: &'_ Option<Lease>| {
            lease.as_ref().and_then(|lease| lease.record.clone()).is_some()
        };
        let decides = if of(&self.target) { &self.target } else { &self.source };
        decides.as_ref().and_then(|lease| lease.record.as_ref())
    }
}

/// Looks for the records of runs in both clusters.
///
/// # Errors
/// When a cluster cannot be read.
pub async fn find(source: &Client, target: &Client) -> Result<Found, PhaseError> {
    tokio::try_join!(check_health(source), check_health(target))?;
    let (source, target) = tokio::try_join!(find_one(source), find_one(target))?;
    Ok(Found { source, target })
}

async fn find_one(cluster: &Client) -> Result<Option<Lease>, PhaseError> {
    let providers = inventory::read(cluster).await?;
    let lease = lock::read(cluster, &lock_namespace(&providers)).await.map_err(Box::new)?;
    Ok(lease.filter(|lease| lease.record.is_some()))
}

/// Namespace of a cluster's Lease: that of the core provider.
pub fn lock_namespace(providers: &[Provider]) -> String {
    let core = providers.iter().find(|provider| provider.kind == "CoreProvider");
    core.map_or_else(|| "default".to_owned(), |provider| provider.namespace.clone())
}

/// The run to carry on, with its record; its clusters have to be the right way round.
async fn interrupted(run: &Run) -> Result<(Run, Record), MoveError> {
    let found = find(&run.source, &run.target).await.map_err(MoveError::Unprepared)?;
    let Some(record) = found.record().cloned() else {
        return Err(MoveError::NoRun(
            "no interrupted move was found in these two clusters".to_owned(),
        ));
    };
    for (lease, role) in [(&found.source, Role::Source), (&found.target, Role::Target)] {
        let Some(other) = lease.as_ref().and_then(|lease| lease.record.as_ref()) else { continue };
        if other.run != record.run || other.role != role {
            return Err(MoveError::NoRun(format!(
                "these two clusters are not the source and target of one run: the {role} of this command is the {} of the move {} (the other cluster of it: {})",
                other.role, other.run, other.peer
            )));
        }
    }
    let mut run = run.clone();
    run.id.clone_from(&record.run);
    run.options.namespaces = record.namespaces();
    Ok((run, record))
}

/// Carries on an interrupted run to its end.
///
/// # Errors
/// When there is none, its holder is still alive, or it fails again.
pub async fn resume(run: &Run, force: bool) -> Result<Report, MoveError> {
    let (run, record) = interrupted(run).await?;
    run.events.note(format!(
        "carrying on the move {}, begun {}, which is {}",
        record.run, record.started, record.phase
    ));
    let (territory, ..) = survey(&run).await.map_err(MoveError::Unprepared)?;
    let places = places(&run, Some(&record)).await?;
    let lock = Lock::acquire(places, force, &run.stop).await.map_err(locked)?;
    match lock.phase().await {
        Phase::Preparing => {
            let planned = match plan(&run).await {
                Ok((preflight, _)) if preflight.findings.has_errors() => {
                    Err(MoveError::Refused(preflight.findings))
                }
                other => other,
            };
            match planned {
                Ok((preflight, report)) => execute_locked(&run, lock, preflight, report).await,
                Err(error) => {
                    lock.leave().await;
                    Err(error)
                }
            }
        }
        phase => carry_on(&run, lock, territory, phase).await,
    }
}

/// Goes on behind the point of no return.
async fn carry_on(
    run: &Run,
    lock: Lock,
    territory: Territory,
    phase: Phase,
) -> Result<Report, MoveError> {
    let doing = "find out how far it had come";
    let prepared = match discover(&run.source, &territory).await {
        Ok(graph) => {
            find_copies(run, &territory, &graph, phase).await.map(|copies| (graph, copies))
        }
        Err(error) => Err(error),
    };
    let (graph, copies) = match prepared {
        Ok(prepared) => prepared,
        Err(source) => {
            lock.leave().await;
            return Err(MoveError::Unfinished { doing, source });
        }
    };
    let preflight = Preflight {
        territory,
        graph,
        strangers: Vec::new(),
        findings: super::findings::Findings::default(),
    };
    let mut report = Report::new(run, &preflight);
    finish_from(run, lock, phase, (&preflight.territory, &preflight.graph, &copies), &mut report)
        .await?;
    report.outcome = Outcome::Moved;
    report.count_requests(&run.source, &run.target);
    Ok(report)
}

/// Finds the copies of what is left in the source. Each has to be there, with the same content:
/// nothing is deleted that the target does not hold.
async fn find_copies(
    run: &Run,
    territory: &Territory,
    graph: &Graph,
    phase: Phase,
) -> Result<Copies, PhaseError> {
    let listed = list_everywhere(&run.target, territory).await?;
    let by_name: HashMap<_, _> = listed
        .into_iter()
        .map(|(kind, object)| {
            ((kind, object.namespace().map(str::to_owned), object.name().to_owned()), object)
        })
        .collect();
    let mut copies = Copies::default();
    for node in graph.copied().map(|index| &graph.nodes[index]) {
        let object = &node.object;
        let key = (node.kind, object.namespace().map(str::to_owned), object.name().to_owned());
        let copy =
            by_name.get(&key).ok_or_else(|| PhaseError::CopyMissing { object: object.id() })?;
        let lost = compare(object, copy).lost.into_iter().find(|path| !is_of_deletion(path));
        let lost = lost.or_else(|| being_deleted(copy));
        if let Some(path) = lost.filter(|_| node.fate == Fate::Move) {
            return Err(PhaseError::CopyDiffers { object: object.id(), path });
        }
        copies.uids.insert(object.uid().to_owned(), copy.uid().to_owned());
        if phase > Phase::Committed || copy.annotation(RUN_ANNOTATION) != Some(&run.id) {
            copies.reused.insert(object.uid().to_owned());
        }
    }
    Ok(copies)
}

/// What an object of the source lacks because this run was deleting it.
fn is_of_deletion(path: &str) -> bool {
    path.starts_with("metadata.finalizers")
}

/// Puts an interrupted run back, if that is still possible.
///
/// # Errors
/// When there is none, its holder is still alive, it is past its point of no return, or a request
/// fails.
pub async fn rollback(run: &Run, force: bool) -> Result<Record, MoveError> {
    let (run, record) = interrupted(run).await?;
    if !record.phase.can_be_undone() {
        return Err(MoveError::TooLate { run: record.run, phase: record.phase });
    }
    let (territory, ..) = survey(&run).await.map_err(MoveError::Unprepared)?;
    let places = places(&run, Some(&record)).await?;
    let lock = Lock::acquire(places, force, &run.stop).await.map_err(locked)?;
    let phase = lock.phase().await;
    if !phase.can_be_undone() {
        lock.leave().await;
        return Err(MoveError::TooLate { run: record.run, phase });
    }
    run.events.started("Put everything back");
    let doing = "put everything back";
    if let Err(source) = undo(&run, &territory).await {
        run.events.send(crate::journal::Event::Failed);
        lock.leave().await;
        return Err(MoveError::HalfUndone { doing, undo: source.to_string(), source });
    }
    run.events.finished("the source is as before");
    lock.finish().await.map_err(locked)?;
    Ok(record)
}

/// Where the leases of a run live, in an order that does not depend on its direction.
///
/// A cluster that has lost the record of an interrupted run gets it again as the other one has it.
pub(super) async fn places(
    run: &Run,
    interrupted: Option<&Record>,
) -> Result<Vec<lock::Place>, MoveError> {
    let mut places = Vec::new();
    for (cluster, role, peer) in
        [(&run.source, Role::Source, &run.target), (&run.target, Role::Target, &run.source)]
    {
        let id = super::preflight::identity(cluster).await.map_err(MoveError::Unprepared)?;
        let providers =
            inventory::read(cluster).await.map_err(|error| MoveError::Unprepared(error.into()))?;
        let new = || Record::new(&run.id, role, &run.options.namespaces, peer.server());
        let record = interrupted.map_or_else(new, |record| Record {
            role,
            peer: peer.server().to_owned(),
            ..record.clone()
        });
        places.push((
            id,
            lock::Place { cluster: cluster.clone(), namespace: lock_namespace(&providers), record },
        ));
    }
    places.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(places.into_iter().map(|(_, place)| place).collect())
}

pub(super) fn locked(error: LockError) -> MoveError {
    MoveError::Locked(Box::new(error))
}
