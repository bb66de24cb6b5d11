//! `move`: from one management cluster to another.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cluster::{Client, ConnectError, KubeconfigRef};
use support::causes::in_one_line;
use support::journal::{Events, RunEvent};
use transfer::{
    Choice, ClusterPattern, Destination, Gone, MoveError, MoveOptions, Namespaces, Outcome, Record,
    Report, Role, Run, Sides, Stop, execute, look_once, plan,
};

use super::backup::{backup, backup_folder, restore};
use super::error::CommandError;
use super::status::cluster_type;

/// The request of a move.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    /// The cluster to move from.
    pub source: KubeconfigRef,
    /// The cluster to move to.
    pub target: KubeconfigRef,
    /// A directory in place of one of the clusters.
    pub directory: Option<Directory>,
    /// The only cluster that is named; it stands for both.
    pub alone: Option<Role>,
    /// Namespaces; none for that of the source's context, or those that the choice names.
    pub namespaces: BTreeSet<String>,
    /// All namespaces.
    pub all_namespaces: bool,
    /// Only find out what would happen.
    pub dry_run: bool,
    /// Everything else.
    pub options: MoveOptions,
}

/// A directory that stands for one of the clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directory {
    /// In place of the target.
    To(PathBuf),
    /// In place of the source.
    From(PathBuf),
}

/// Prepares the run. With a directory, the only cluster stands for both.
///
/// # Errors
/// When a kubeconfig is missing or unusable.
pub async fn connect(
    request: &MoveRequest,
    events: &Events,
    stop: &Stop,
) -> Result<Run, ConnectError> {
    let (source, target) = match &request.directory {
        None if request.alone == Some(Role::Source) => {
            let cluster = Client::connect("source", &request.source).await?;
            (cluster.clone(), cluster)
        }
        None if request.alone == Some(Role::Target) => {
            let cluster = Client::connect("target", &request.target).await?;
            (cluster.clone(), cluster)
        }
        None => (
            Client::connect("source", &request.source).await?,
            Client::connect("target", &request.target).await?,
        ),
        Some(Directory::To(_)) => {
            let source = Client::connect("source", &request.source).await?;
            (source.clone(), source)
        }
        Some(Directory::From(_)) => {
            let target = Client::connect("target", &request.target).await?;
            (target.clone(), target)
        }
    };
    let mut options = request.options.clone();
    let default = source.default_namespace();
    let is_from_files = matches!(request.directory, Some(Directory::From(_)));
    options.namespaces = match request.all_namespaces || is_from_files {
        true => Namespaces::All,
        false if !request.namespaces.is_empty() => Namespaces::from(request.namespaces.clone()),
        false => namespaces_of(&mut options.choice, default),
    };
    if let Some(probes) = &options.probes {
        for error in probes.plugins.left_out() {
            let warning = in_one_line(error);
            events.warning(format!("{warning}; this run looks for no plugins there"));
        }
        for error in probes.plugins.unread_locks() {
            let warning = in_one_line(error);
            events.warning(format!("{warning}; the plugins in it are not trusted by this run"));
        }
    }
    source.tell(events);
    target.tell(events);
    let id = format!("{:08x}", rand::random::<u32>());
    let (events, stop, sides) = (events.clone(), stop.clone(), Sides::default());
    Ok(Run { id, source, target, options, events, stop, sides })
}

/// The namespaces that a choice is about, when the user names none otherwise: a pattern without one
/// is about the default namespace.
fn namespaces_of(choice: &mut Choice, default: &str) -> Namespaces {
    let Choice::Wanted(wish) = choice else { return Namespaces::One(default.to_owned()) };
    for pattern in &mut wish.clusters {
        *pattern = pattern.clone().within(default);
    }
    let named = wish.clusters.iter().filter_map(ClusterPattern::namespace);
    if named.clone().any(|(_, is_pattern)| is_pattern) {
        return Namespaces::All;
    }
    let named: BTreeSet<String> = named.map(|(namespace, _)| namespace.to_owned()).collect();
    match named.is_empty() {
        true => Namespaces::One(default.to_owned()),
        false => Namespaces::from(named),
    }
}

/// Plans the move and, unless it is a dry-run, refused or empty, asks `confirm` and carries it out.
///
/// # Errors
/// When the move fails, or is not confirmed. A plan with findings is a report, not an error.
pub async fn move_clusters(
    run: &Run,
    request: &MoveRequest,
    confirm: impl FnOnce(&Report) -> bool,
) -> Result<Report, CommandError> {
    let files = |directory: &PathBuf| Destination { directory: directory.clone(), manifest: false };
    match &request.directory {
        Some(Directory::To(to)) => return backup(run, &files(to), request.dry_run, |_| true).await,
        Some(Directory::From(from)) => {
            return restore(run, &files(from), request.dry_run, |_| true).await;
        }
        None => {}
    }
    let (preflight, mut report) = match plan(run).await {
        Ok(planned) => planned,
        Err(error) => return ended(run, Report::blank(run), Err(error)),
    };
    if report.outcome != Outcome::Planned {
        return Ok(report);
    }
    if request.dry_run {
        report.list_operations(&preflight);
        let looked = look_once(run, &preflight.move_scope.providers, &mut report).await;
        if let Err(error) = looked {
            return ended(run, report, Err(error));
        }
        return Ok(report);
    }
    if !confirm(&report) {
        return Err(CommandError::NotConfirmed);
    }
    let result = execute(run, preflight, &mut report).await;
    ended(run, report, result)
}

/// Continues an interrupted move.
///
/// # Errors
/// When there is none, its holder is still alive, or it fails again.
pub async fn resume(run: &Run, force: bool) -> Result<Report, CommandError> {
    let mut report = Report::blank(run);
    let result = transfer::resume(run, force, &mut report).await;
    ended(run, report, result)
}

/// Finishes an interrupted move in its target, when the source is gone for good.
///
/// # Errors
/// When there is none, its copies are not complete, or it fails again.
pub async fn resume_without_source(
    run: &Run,
    force: bool,
    gone: Gone,
) -> Result<Report, CommandError> {
    let mut report = Report::blank(run);
    let result = transfer::resume_without_source(run, force, gone, &mut report).await;
    ended(run, report, result)
}

/// Puts an interrupted move back in the cluster that is left.
///
/// # Errors
/// When there is none, it is too far, or a request fails.
pub async fn rollback_without(
    run: &Run,
    (missing, gone): (Role, Gone),
    force: bool,
) -> Result<Record, CommandError> {
    Ok(transfer::rollback_without(run, missing, force, gone).await?)
}

/// Puts an interrupted run back, with what it has left of a backup in the user's state folder.
///
/// # Errors
/// When there is none, its holder is still alive, or it is past its point of no return.
pub async fn rollback(run: &Run, force: bool) -> Result<Record, CommandError> {
    Ok(without_backup(transfer::rollback(run, force).await?))
}

/// Puts a move back whose records are gone, by the marks on its objects.
///
/// # Errors
/// As [`transfer::rollback_from_marks`].
pub async fn rollback_from_marks(run: &Run, force: bool) -> Result<Record, CommandError> {
    Ok(without_backup(transfer::rollback_from_marks(run, force).await?))
}

/// Deletes the half of a backup that a run has left which was put back.
fn without_backup(record: Record) -> Record {
    if let Ok(folder) = backup_folder() {
        // Usually there is nothing; an incomplete backup that cannot be deleted harms nobody.
        let _ = std::fs::remove_dir_all(folder.join(format!("{}.partial", record.run)));
    }
    record
}

/// The report of a run that has ended, well or not; the journal gets it too.
pub(super) fn ended(
    run: &Run,
    mut report: Report,
    result: Result<(), MoveError>,
) -> Result<Report, CommandError> {
    report.cluster_states = run.sides.states();
    if let Err(error) = &result {
        report.fail(error);
        report.count_all_requests(run);
    }
    run.events.record(RunEvent::Ended {
        outcome: report.outcome.to_string(),
        error: report.error.as_ref().map(|error| error.message.clone()),
    });
    match result {
        Ok(()) => Ok(report),
        Err(source) => Err(CommandError::Failed { report: Box::new(report), source }),
    }
}

/// Namespaces of the source that hold Clusters, for a user who looked in the wrong one.
pub async fn find_clusters_elsewhere(run: &Run) -> Vec<String> {
    let Ok(Some(clusters)) = cluster_type(&run.source).await else {
        return Vec::new();
    };
    let listed = run.source.list_metadata(&clusters, None).await.unwrap_or_default();
    let mut namespaces: Vec<String> =
        listed.iter().filter_map(|c| c.namespace().map(str::to_owned)).collect();
    namespaces.sort();
    namespaces.dedup();
    namespaces
}
