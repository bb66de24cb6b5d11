//! `status`: what runs have left in two clusters.

use serde::Serialize;

use crate::capi::names::PAUSED_BY_ANNOTATION;
use crate::cluster::Client;
use crate::transfer::{Lease, LeaseState, PhaseError, find};

use super::clusters::cluster_type;
use super::error::CommandError;

/// The state of both clusters.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Version of this document's schema.
    pub api_version: &'static str,
    /// `MoveStatus`.
    pub kind: &'static str,
    /// The source, then the target.
    pub clusters: Vec<ClusterStatus>,
}

/// The state of one cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterStatus {
    /// `source` or `target`.
    pub name: String,
    /// URL of the API server.
    pub server: String,
    /// The run that has the cluster or has left it half-way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunStatus>,
    /// Clusters in all namespaces.
    pub clusters: usize,
    /// Those that are paused, with who paused them.
    pub paused: Vec<PausedCluster>,
}

/// A run, as its record tells.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunStatus {
    /// Id of the run.
    pub id: String,
    /// What the cluster is in it: `source` or `target`.
    pub role: String,
    /// How far it has come.
    pub phase: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// Namespace that moves; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Who holds the lock; absent when the run was interrupted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Seconds since the holder last renewed the lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewed_seconds_ago: Option<u64>,
}

/// A paused Cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PausedCluster {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The run that has paused it; absent when its user has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_run: Option<String>,
}

impl Status {
    /// Whether a run was interrupted in one of the clusters.
    pub fn is_interrupted(&self) -> bool {
        self.clusters
            .iter()
            .filter_map(|cluster| cluster.run.as_ref())
            .any(|run| run.holder.is_none())
    }
}

/// Reads the state of both clusters. Writes nothing.
///
/// # Errors
/// When a cluster cannot be read.
pub async fn status(source: &Client, target: &Client) -> Result<Status, CommandError> {
    let found = find(source, target).await.map_err(unprepared)?;
    let clusters = vec![look(source, found.source).await?, look(target, found.target).await?];
    Ok(Status { api_version: "kubectl-pivot.io/v1alpha1", kind: "MoveStatus", clusters })
}

fn unprepared(error: PhaseError) -> CommandError {
    CommandError::Move(crate::transfer::MoveError::Unprepared(error))
}

async fn look(cluster: &Client, lease: Option<Lease>) -> Result<ClusterStatus, CommandError> {
    let objects = match cluster_type(cluster).await? {
        Some(clusters) => cluster.list(&clusters, None).await?,
        None => Vec::new(),
    };
    let paused = objects.iter().filter(|object| crate::capi::is_paused(object)).map(|object| {
        PausedCluster {
            namespace: object.namespace().unwrap_or_default().to_owned(),
            name: object.name().to_owned(),
            by_run: object
                .annotation(PAUSED_BY_ANNOTATION)
                .map(|run| run.split('/').next().unwrap_or(run).to_owned()),
        }
    });
    Ok(ClusterStatus {
        name: cluster.name().to_owned(),
        server: cluster.server().to_owned(),
        run: lease.and_then(run_status),
        clusters: objects.len(),
        paused: paused.collect(),
    })
}

fn run_status(lease: Lease) -> Option<RunStatus> {
    let record = lease.record?;
    let holder = match lease.state {
        LeaseState::Held(holder) => Some(holder),
        LeaseState::Free => None,
    };
    Some(RunStatus {
        id: record.run,
        role: record.role.to_string(),
        phase: record.phase.to_string(),
        started: record.started,
        namespace: record.namespace,
        renewed_seconds_ago: holder.as_ref().map(|holder| holder.renewed.as_secs()),
        holder: holder.map(|holder| holder.identity),
    })
}
