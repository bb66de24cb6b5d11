//! `status`: what runs have left in two clusters.

use std::collections::BTreeSet;
use std::time::Duration;

use capi::names::{CORE_GROUP, DELETE_FOR_MOVE_ANNOTATION, PAUSED_BY_ANNOTATION, RUN_ANNOTATION};
use capi::{Object, ResourceType, has_paused_annotation, is_paused};
use cluster::{ApiError, Client, Served};
use serde::Serialize;
use support::journal::{RunState, state_folder};
use support::visible::shell_word;
use transfer::{
    BatchCourse, BatchState, ClusterState, Lease, LeaseState, Mark, Marks, Phase, PhaseError,
    Record, Run, Unread, find, marks, paused_before,
};

use super::error::CommandError;
use super::sides::cluster_states;

/// Pause between two looks of [`watch_status`].
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// The state of both clusters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "MoveStatus"))]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `MoveStatus`.
    pub kind: &'static str,
    /// The source, then the target; or the only one.
    pub clusters: Vec<ClusterStatus>,
    /// The Clusters of a move that is on its way or was interrupted: those that it names, and those
    /// that it has paused; absent without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_states: Vec<ClusterState>,
    /// The journal of the run on this machine; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<RunState>,
}

/// The state of one cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// `source` or `target`.
    pub name: String,
    /// URL of the API server.
    pub server: String,
    /// The run that holds this cluster, or that was interrupted in it; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunStatus>,
    /// Ids of other replacements into this cluster whose sources wait for their end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resting: Vec<String>,
    /// Clusters in all namespaces; absent if they cannot be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<usize>,
    /// Clusters that are paused.
    pub paused: Vec<PausedCluster>,
    /// Objects with a mark of a run that has no record in this cluster any more.
    pub leftovers: Vec<Mark>,
    /// Kinds that could not be listed: there may be more paused Clusters and marks.
    pub unread: Vec<Unread>,
}

/// A run, as its record tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// Id of the run.
    pub id: String,
    /// Operation: `move`, `backup` or `restore`.
    pub operation: String,
    /// Role of this cluster in the run: `source` or `target`.
    pub role: String,
    /// URL of the other cluster as the run addressed it; of a backup or restore the directory.
    pub peer: String,
    /// Phase of the run.
    pub phase: Phase,
    /// True if the run can be rolled back.
    #[serde(skip)]
    pub can_be_rolled_back: bool,
    /// When it began, RFC 3339.
    pub started: String,
    /// Namespace that moves; absent when all or several do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Namespaces that move, if they are several; absent otherwise.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub namespaces: BTreeSet<String>,
    /// The Clusters that were chosen, as `namespace/name`; absent when all move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Vec<String>>,
    /// The batches of the run; absent when there is only one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<BatchState>,
    /// True if a batch is over and no other has begun.
    #[serde(skip)]
    pub is_between_batches: bool,
    /// Holder of the lock; absent when the run was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Seconds since the holder last renewed the lock; absent without holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed_seconds_ago: Option<u64>,
    /// Progress in this cluster, counted by the run's marks.
    pub progress: RunProgress,
}

/// Numbers of objects with marks of a run in one cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RunProgress {
    /// Copies, and namespaces for them, that it has created here and not yet handed over.
    pub copies: usize,
    /// Objects that it has deleted here and that are not gone yet.
    pub being_deleted: usize,
    /// Objects that it has paused here.
    pub paused: usize,
}

impl RunStatus {
    /// Returns the next command for an interrupted run.
    ///
    /// `is_undoing`: one of the two records of the run says so.
    fn next_steps(&self, is_undoing: bool) -> Vec<String> {
        if self.phase == Phase::Left {
            return match self.role.as_str() {
                "source" => vec![
                    "Delete what was left in the source: kubectl pivot replace --delete-old"
                        .to_owned(),
                    "Go back to the source: kubectl pivot rollback".to_owned(),
                ],
                _ => Vec::new(),
            };
        }
        let can_be_undone = is_undoing || self.can_be_rolled_back;
        let rollback = || match self.is_between_batches {
            true => "End it without the batches to come: kubectl pivot rollback".to_owned(),
            false => format!("Roll back the {}: kubectl pivot rollback", self.operation),
        };
        let carry_on = match self.operation.as_str() {
            "move" => Some("Finish the move: kubectl pivot resume".to_owned()),
            "restore" => Some(format!(
                "Finish the restore: kubectl pivot restore {}",
                shell_word(&self.peer)
            )),
            _ => None,
        };
        let carry_on = carry_on.filter(|_| !is_undoing);
        carry_on.into_iter().chain(can_be_undone.then(rollback)).collect()
    }
}

/// A paused Cluster.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PausedCluster {
    /// Namespace of the Cluster.
    pub namespace: String,
    /// Name of the Cluster.
    pub name: String,
    /// The run that has paused it; absent when its user has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_run: Option<String>,
    /// Seconds since then, by the times of the API server and the clock of this machine; absent if
    /// nothing says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_seconds: Option<u64>,
}

impl Status {
    /// Returns true if a run is at work in one of the clusters.
    pub fn is_going_on(&self) -> bool {
        self.runs().any(|run| run.holder.is_some())
    }

    /// Returns the next commands for interrupted runs.
    pub fn next_steps(&self) -> Vec<String> {
        let mut steps: Vec<String> = Vec::new();
        let interrupted = self.runs().filter(|run| run.holder.is_none());
        let is_undoing =
            |run: &str| self.runs().any(|other| other.phase == Phase::Undoing && other.id == run);
        for step in interrupted.flat_map(|run| run.next_steps(is_undoing(&run.id))) {
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
        if self.runs().next().is_none() {
            steps.extend(self.unrecorded().map(|run| {
                format!(
                    "Roll back the run {run}, whose record is gone: kubectl pivot rollback \
                     --from-marks"
                )
            }));
        }
        steps
    }

    /// The one run that has left marks.
    fn unrecorded(&self) -> Option<&str> {
        let marks = self.clusters.iter().flat_map(|cluster| &cluster.leftovers);
        let mut runs = marks.filter_map(|mark| mark.run.as_deref());
        let first = runs.next()?;
        runs.all(|run| run == first).then_some(first)
    }

    /// The state without what changes by the clock alone.
    fn without_ages(&self) -> Self {
        let mut status = self.clone();
        for run in status.clusters.iter_mut().filter_map(|cluster| cluster.run.as_mut()) {
            run.renewed_seconds_ago = None;
        }
        let paused = status.clusters.iter_mut().flat_map(|cluster| &mut cluster.paused);
        paused.for_each(|paused| paused.paused_seconds = None);
        status.cluster_states.iter_mut().for_each(|state| state.paused_seconds = None);
        status
    }

    fn runs(&self) -> impl Iterator<Item = &RunStatus> {
        self.clusters.iter().filter_map(|cluster| cluster.run.as_ref())
    }
}

/// Reads the state of both clusters, or of the only one. Writes nothing.
///
/// # Errors
/// When a cluster cannot be read.
pub async fn status(run: &Run) -> Result<Status, CommandError> {
    let found = find(&run.source, &run.target).await.map_err(unprepared)?;
    let record = found.record().cloned();
    let mut clusters = vec![look(&run.source, found.source).await?];
    if !run.is_alone() {
        clusters.push(look(&run.target, found.target).await?);
    }
    let run = clusters.iter().find_map(|cluster| cluster.run.as_ref());
    let journal = run.and_then(|run| journal(&run.id));
    let cluster_states = record.map_or_else(Vec::new, |record| cluster_states(&record, &clusters));
    let (api_version, kind) = ("kubectl-pivot.io/v1alpha1", "MoveStatus");
    Ok(Status { api_version, kind, clusters, cluster_states, journal })
}

/// A journal that is not there or cannot be read has nothing to tell.
fn journal(run: &str) -> Option<RunState> {
    let folder = state_folder()?.join("runs");
    let replay = support::journal::read(&folder, run).ok()??;
    Some(replay.state).filter(|state| state.attempts > 0)
}

/// Reads the state again and again and shows it whenever it has changed, until no run is at work or
/// the user stops it.
///
/// # Errors
/// When a cluster cannot be read.
pub async fn watch_status(run: &Run, mut show: impl FnMut(&Status)) -> Result<(), CommandError> {
    let mut shown: Option<Status> = None;
    loop {
        let now = status(run).await?;
        if shown.as_ref().is_none_or(|shown| shown.without_ages() != now.without_ages()) {
            show(&now);
        }
        let is_going_on = now.is_going_on();
        shown = Some(now);
        if !is_going_on || run.stop.is_requested() {
            return Ok(());
        }
        run.stop.wait(WATCH_INTERVAL).await;
    }
}

fn unprepared(error: PhaseError) -> CommandError {
    CommandError::Move(transfer::MoveError::Unprepared(error))
}

async fn look(cluster: &Client, lease: Option<Lease>) -> Result<ClusterStatus, CommandError> {
    let objects = clusters(cluster).await?;
    let is_held = |object: &&Object| is_paused(object) || has_paused_annotation(object);
    let paused = objects.iter().flatten().filter(is_held).map(|object| PausedCluster {
        namespace: object.namespace().unwrap_or_default().to_owned(),
        name: object.name().to_owned(),
        by_run: object
            .annotation(PAUSED_BY_ANNOTATION)
            .map(|run| run.split('/').next().unwrap_or(run).to_owned()),
        paused_seconds: paused_before(object).map(|time| time.as_secs()),
    });
    let Marks { found, unread } = marks(cluster).await.map_err(unprepared)?;
    let ids = |lease: &Lease| lease.resting.iter().map(|record| record.run.clone()).collect();
    let resting: Vec<String> = lease.as_ref().map(ids).unwrap_or_default();
    let mut run = lease.and_then(run_status);
    let id = run.as_ref().map(|run| run.id.clone());
    let (own, others): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|mark| id.is_some() && (mark.run == id || mark.run.is_none()));
    let rests = |mark: &Mark| mark.run.as_ref().is_some_and(|run| resting.contains(run));
    let leftovers = others.into_iter().filter(|mark| !rests(mark)).collect();
    if let Some(run) = &mut run {
        run.progress = progress(&own);
    }
    Ok(ClusterStatus {
        name: cluster.name().to_owned(),
        server: cluster.server().to_owned(),
        run,
        resting,
        clusters: objects.as_ref().map(Vec::len),
        paused: paused.collect(),
        leftovers,
        unread,
    })
}

/// Lists the Clusters, if that is possible: [`marks`] says why it is not.
async fn clusters(cluster: &Client) -> Result<Option<Vec<Object>>, CommandError> {
    let Some(clusters) = cluster_type(cluster).await? else { return Ok(Some(Vec::new())) };
    match cluster.list(&clusters, None).await {
        Err(error) if error.code().is_some() => Ok(None),
        listed => Ok(Some(listed?)),
    }
}

fn progress(marks: &[Mark]) -> RunProgress {
    let of = |name: &'static str| marks.iter().filter(move |mark| mark.mark == name);
    let count = |name: &'static str| of(name).count();
    RunProgress {
        copies: count(RUN_ANNOTATION),
        being_deleted: of(DELETE_FOR_MOVE_ANNOTATION).filter(|mark| mark.is_being_deleted).count(),
        paused: count(PAUSED_BY_ANNOTATION),
    }
}

fn batches(record: &Record) -> Vec<BatchState> {
    let course = match record.phase {
        Phase::Finished => BatchCourse::Moved,
        _ => BatchCourse::InFlight,
    };
    record.batches.as_ref().map_or_else(Vec::new, |batches| batches.courses(course))
}

fn run_status(lease: Lease) -> Option<RunStatus> {
    let record = lease.record?;
    let holder = match lease.state {
        LeaseState::Held(holder) => Some(holder),
        LeaseState::Free => None,
    };
    Some(RunStatus {
        can_be_rolled_back: record.can_be_rolled_back() || record.is_between_batches(),
        is_between_batches: record.is_between_batches(),
        batches: batches(&record),
        id: record.run,
        operation: record.operation.to_string(),
        peer: record.peer,
        role: record.role.to_string(),
        phase: record.phase,
        started: record.started,
        namespace: record.namespace,
        namespaces: record.namespaces,
        chosen: record.choice.map(|choice| choice.names().collect()),
        renewed_seconds_ago: holder.as_ref().map(|holder| holder.renewed.as_secs()),
        holder: holder.map(|holder| holder.identity),
        progress: RunProgress::default(),
    })
}

/// Returns the resource of the kind Cluster; `None` if this is not a management cluster.
pub(super) async fn cluster_type(cluster: &Client) -> Result<Option<ResourceType>, ApiError> {
    let served = Served::read(cluster).await?;
    Ok(served.versions(CORE_GROUP, "Cluster").first().cloned())
}
