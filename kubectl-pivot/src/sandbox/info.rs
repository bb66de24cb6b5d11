//! What callers get to see of a sandbox.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::record::{ClusterRecord, Record};

/// Whether a sandbox runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SandboxState {
    /// Another process is starting it.
    Starting,
    /// All its processes run.
    Running,
    /// Some of its processes have ended.
    Partial,
    /// None of its processes runs; only its folder is left.
    Stopped,
    /// Its record is damaged or of a newer version of this program.
    Unreadable,
}

/// A sandbox.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SandboxInfo {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// Whether it runs.
    pub state: SandboxState,
    /// Its clusters, the source first; none unless it was started completely.
    pub clusters: Vec<ClusterInfo>,
}

impl fmt::Display for SandboxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Partial => "partial",
            Self::Stopped => "stopped",
            Self::Unreadable => "unreadable",
        })
    }
}

/// A cluster of a sandbox.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterInfo {
    /// `source`, `target`, `cluster-3`, …
    pub name: String,
    /// Context in the kubeconfig file.
    pub context: String,
    /// URL of the API server.
    pub url: String,
    /// Kubeconfig file of the administrator.
    pub kubeconfig: PathBuf,
    /// Process ids of kube-apiserver and etcd, running or not.
    pub pids: Vec<u32>,
    /// Whether both run.
    pub running: bool,
}

impl SandboxInfo {
    pub(super) fn of(name: &str, dir: &Path, record: Record) -> Self {
        let alive: Vec<bool> = record
            .clusters
            .iter()
            .flat_map(|cluster| &cluster.processes)
            .map(|process| process.is_running(dir))
            .collect();
        let state = match (alive.contains(&true), alive.contains(&false)) {
            (true, false) => SandboxState::Running,
            (true, true) => SandboxState::Partial,
            (false, _) => SandboxState::Stopped,
        };
        let clusters =
            record.clusters.into_iter().map(|cluster| ClusterInfo::of(cluster, dir)).collect();
        Self { clusters, ..Self::empty(name, dir, state) }
    }

    pub(super) fn empty(name: &str, dir: &Path, state: SandboxState) -> Self {
        Self { name: name.into(), dir: dir.into(), state, clusters: Vec::new() }
    }
}

impl ClusterInfo {
    fn of(record: ClusterRecord, dir: &Path) -> Self {
        Self {
            running: record.processes.iter().all(|process| process.is_running(dir)),
            pids: record.processes.iter().map(|process| process.pid).collect(),
            name: record.name,
            context: record.context,
            url: record.url,
            kubeconfig: record.kubeconfig,
        }
    }
}
