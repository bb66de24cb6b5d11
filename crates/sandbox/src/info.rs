//! The public description of a sandbox.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::part::Part;
use super::record::{ClusterRecord, ControllerRecord, Record};

/// States of a sandbox.
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
    /// The record is damaged or of a newer version of this program.
    Unreadable,
}

/// A sandbox.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SandboxInfo {
    /// The name.
    pub name: String,
    /// The folder.
    pub dir: PathBuf,
    /// True if it runs.
    pub state: SandboxState,
    /// The clusters, the source first; none unless it was started completely.
    pub clusters: Vec<ClusterInfo>,
    /// Processes that work for them.
    pub controllers: Vec<ControllerInfo>,
}

/// A process that works for the clusters of a sandbox.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ControllerInfo {
    /// `kube-controller-manager`; with Cluster API's controllers also `core-manager`,
    /// `kubeadm-bootstrap-manager`, `kubeadm-control-plane-manager`, `dev-manager`, and `relay`.
    pub name: String,
    /// The cluster that it works for; none if for all.
    pub cluster: Option<String>,
    /// The log file.
    pub log: PathBuf,
    /// The process id, running or not.
    pub pid: u32,
    /// True if it runs.
    pub running: bool,
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
    /// True if both run.
    pub running: bool,
}

impl SandboxInfo {
    pub(super) fn of(name: &str, dir: &Path, record: Record) -> Self {
        let alive: Vec<bool> =
            record.in_order().iter().flatten().map(|process| process.is_running(dir)).collect();
        let state = match (alive.contains(&true), alive.contains(&false)) {
            (true, false) => SandboxState::Running,
            (true, true) => SandboxState::Partial,
            (false, _) => SandboxState::Stopped,
        };
        let clusters =
            record.clusters.into_iter().map(|cluster| ClusterInfo::of(cluster, dir)).collect();
        let controllers =
            record.controllers.into_iter().map(|one| ControllerInfo::of(one, dir)).collect();
        Self { clusters, controllers, ..Self::empty(name, dir, state) }
    }

    /// Returns true if Cluster API's controllers work for its clusters.
    #[must_use]
    pub fn has_cluster_api_controllers(&self) -> bool {
        let core = Part::CoreManager.to_string();
        self.controllers.iter().any(|controller| controller.name == core)
    }

    pub(super) fn empty(name: &str, dir: &Path, state: SandboxState) -> Self {
        let (clusters, controllers) = (Vec::new(), Vec::new());
        Self { name: name.into(), dir: dir.into(), state, clusters, controllers }
    }
}

impl ControllerInfo {
    fn of(record: ControllerRecord, dir: &Path) -> Self {
        Self {
            running: record.process.is_running(dir),
            pid: record.process.pid,
            name: record.name,
            cluster: record.cluster,
            log: record.log,
        }
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
