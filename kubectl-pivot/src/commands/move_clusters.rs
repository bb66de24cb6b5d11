//! `move`: from one management cluster to another.

use std::path::PathBuf;

use crate::cluster::{Client, ConnectError, KubeconfigRef};
use crate::journal::Events;
use crate::transfer::{
    Existing, MoveOptions, Namespaces, Outcome, Report, Run, Stop, execute, load, look_once, plan,
    save,
};

use super::clusters::cluster_type;
use super::error::CommandError;

/// What a user has asked for.
#[derive(Clone, Debug)]
pub struct MoveRequest {
    /// The cluster to move from.
    pub source: KubeconfigRef,
    /// Where to move to.
    pub target: KubeconfigRef,
    /// A directory in place of one of the clusters.
    pub directory: Option<Directory>,
    /// A namespace; `None` for the one of the source's context.
    pub namespace: Option<String>,
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
    options.namespaces = match (&request.namespace, request.all_namespaces) {
        (_, true) => Namespaces::All,
        (Some(namespace), false) => Namespaces::One(namespace.clone()),
        (None, false) => Namespaces::One(source.default_namespace().to_owned()),
    };
    let id = format!("{:08x}", rand::random::<u32>());
    Ok(Run { id, source, target, options, events: events.clone(), stop: stop.clone() })
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
    match &request.directory {
        Some(Directory::To(directory)) => return Ok(save(run, directory, request.dry_run).await?),
        Some(Directory::From(directory)) => {
            let mut run = run.clone();
            run.options.existing = Existing::Keep;
            run.options.namespaces = Namespaces::All;
            return Ok(load(&run, directory, request.dry_run).await?);
        }
        None => {}
    }
    let (preflight, mut report) = plan(run).await?;
    if report.outcome != Outcome::Planned {
        return Ok(report);
    }
    if request.dry_run {
        look_once(run, &preflight.territory.providers, &mut report).await?;
        return Ok(report);
    }
    if !confirm(&report) {
        return Err(CommandError::NotConfirmed);
    }
    Ok(execute(run, preflight, report).await?)
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
