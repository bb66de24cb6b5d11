//! Starting named sandboxes.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use futures::future::try_join_all;
use support::file_lock::FileLock;
use support::journal::Events;

use super::control_plane::{ControlPlane, ControlPlaneOptions};
use super::controllers::{
    self, Access, ControllerParts, Controllers, ControllersOptions, Management, Plan,
};
use super::error::{FileError, PartsError, SandboxError};
use super::identity::Recorded;
use super::info::SandboxInfo;
use super::part::Part;
use super::parts::{Parts, PartsOptions};
use super::process::Process;
use super::record::{ClusterRecord, ControllerRecord, Record};
use super::release::Release;
use super::sandboxes::{Sandboxes, remove_dir};

/// Options of a sandbox to start.
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// The name, a DNS label of at most 40 characters.
    pub name: String,
    /// The number of clusters: `source`, `target`, `cluster-3`, …
    pub clusters: NonZeroUsize,
    /// Places to look for the parts.
    pub parts: PartsOptions,
    /// Leave out Cluster API's CRDs and clusterctl's inventory.
    pub bare: bool,
    /// Run kube-controller-manager in each cluster: the garbage collector and the namespace
    /// controller.
    pub controller_manager: bool,
    /// Run Cluster API's controllers too, but in clusters without `v1beta2`, which the in-memory
    /// provider needs.
    pub controllers: Option<ControllersOptions>,
    /// Versions of Cluster API, by the number of the cluster that has them; the pinned one in all
    /// others.
    pub releases: BTreeMap<usize, Release>,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self {
            name: "default".into(),
            clusters: TWO,
            parts: PartsOptions::default(),
            bare: false,
            controller_manager: true,
            controllers: None,
            releases: BTreeMap::new(),
        }
    }
}

impl UpOptions {
    /// Returns what each cluster is made of.
    async fn parts(&self, events: &Events) -> Result<Vec<Parts>, PartsError> {
        let pinned = Parts::resolve(&self.parts, events).await?;
        let mut parts = vec![pinned; self.clusters.get()];
        for (number, release) in &self.releases {
            if let Some(part) = parts.get_mut(*number) {
                *part = part.with_release(release, &self.parts, events).await?;
            }
        }
        Ok(parts)
    }
}

/// Returns the numbers of the clusters in which controllers can run.
fn controllable(parts: &[Parts]) -> Vec<usize> {
    (0..parts.len()).filter(|number| parts[*number].release.has_v1beta2()).collect()
}

const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// A running sandbox that ends with this handle, or with this program however that ends, unless it
/// is detached. Dropping it also deletes its folder.
#[derive(Debug)]
pub struct Sandbox {
    info: SandboxInfo,
    // Dropped before the clusters that they work for.
    controllers: Controllers,
    // Dropped before the lock: the name is free when the processes are gone.
    planes: Vec<ControlPlane>,
    _lock: FileLock,
}

impl Sandboxes {
    /// Starts a sandbox that runs on after this program has ended: [`Sandboxes::start`], then
    /// [`Sandbox::detach`].
    ///
    /// # Errors
    ///
    /// As for [`Sandboxes::start`].
    pub async fn up(
        &self,
        options: &UpOptions,
        events: &Events,
    ) -> Result<SandboxInfo, SandboxError> {
        self.start(options, events).await?.detach()
    }

    /// Starts a sandbox, its clusters in parallel, and waits until all are ready. What a caller
    /// wants done before the sandbox is independent, such as creating objects, goes between this
    /// and
    /// [`Sandbox::detach`].
    ///
    /// A folder that an earlier sandbox of this name left behind is deleted first.
    ///
    /// # Errors
    ///
    /// The name is not valid or taken, or a cluster did not start. Nothing is left running then;
    /// the folder stays, for its logs.
    pub async fn start(
        &self,
        options: &UpOptions,
        events: &Events,
    ) -> Result<Sandbox, SandboxError> {
        let name = &options.name;
        let (lock, dir) = self.claim(name)?;
        let parts = options.parts(events).await?;
        let current = controllable(&parts);
        let plan = match options.controllers.as_ref().filter(|_| !current.is_empty()) {
            Some(wanted) => {
                let own: Vec<&Parts> = current.iter().map(|number| &parts[*number]).collect();
                let managers = ControllerParts::resolve(&own, &options.parts, events).await?;
                Some(Plan::make(wanted, managers, &dir)?)
            }
            None => None,
        };
        let start = |index: usize| {
            let (dir, parts, plan) = (&dir, &parts[index], &plan);
            let place = current.iter().position(|one| *one == index);
            async move {
                let planned = plan.as_ref().zip(place);
                let planned = planned.map(|(plan, place)| plan.write_crds(place)).transpose()?;
                let crds = planned.unwrap_or_else(|| parts.crds.clone());
                let parts = Parts { crds, ..parts.clone() };
                start_cluster(cluster_name(index), options, dir, &parts, events).await
            }
        };
        let started = try_join_all((0..options.clusters.get()).map(start)).await?;
        let (mut planes, clusters): (Vec<ControlPlane>, Vec<ClusterRecord>) =
            started.into_iter().unzip();
        if options.controller_manager {
            let each = planes.iter_mut().zip(&clusters);
            try_join_all(each.map(|(plane, cluster)| async move {
                let started = plane.start_controller_manager(events).await;
                started
                    .map_err(|source| SandboxError::Cluster { name: cluster.name.clone(), source })
            }))
            .await?;
        }
        let controllers = match &plan {
            Some(plan) => {
                let managed = managed(&current, &clusters, &planes);
                controllers::start(plan, &managed, events).await?
            }
            None => Controllers::default(),
        };
        let records = records(&clusters, &planes, &controllers);
        let record = Record::new(clusters, records);
        record.write(&dir)?;
        let info = SandboxInfo::of(name, &dir, record);
        Ok(Sandbox { info, controllers, planes, _lock: lock })
    }
}

impl Sandbox {
    /// Returns where everything is.
    #[must_use]
    pub fn info(&self) -> &SandboxInfo {
        &self.info
    }

    /// Lets the sandbox run on after this program has ended, until [`Sandboxes::down`].
    ///
    /// # Errors
    ///
    /// A process has ended in the meantime. The others are to be ended by [`Sandboxes::down`].
    pub fn detach(mut self) -> Result<SandboxInfo, SandboxError> {
        let planes = std::mem::take(&mut self.planes);
        let controllers = std::mem::take(&mut self.controllers);
        controllers.detach().map_err(SandboxError::Controllers)?;
        for (plane, cluster) in planes.into_iter().zip(&self.info.clusters) {
            plane
                .detach()
                .map_err(|source| SandboxError::Cluster { name: cluster.name.clone(), source })?;
        }
        Ok(self.info.clone())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Empty if detached.
        if !self.planes.is_empty() {
            self.controllers = Controllers::default();
            self.planes.clear();
            // What cannot be deleted is deleted by the next start of this name.
            let _ = remove_dir(&self.info.dir);
        }
    }
}

async fn start_cluster(
    cluster: String,
    options: &UpOptions,
    dir: &Path,
    parts: &Parts,
    events: &Events,
) -> Result<(ControlPlane, ClusterRecord), SandboxError> {
    let context = format!("{}-{cluster}", options.name);
    let plane = ControlPlaneOptions {
        name: context.clone(),
        bare: options.bare,
        ..ControlPlaneOptions::default()
    };
    let plane = ControlPlane::start(dir.join(&cluster), parts, plane, events)
        .await
        .map_err(|source| SandboxError::Cluster { name: cluster.clone(), source })?;
    let kubeconfig = copy_kubeconfig(&plane, dir.join(format!("{cluster}.kubeconfig")))?;
    let processes = plane.pids().into_iter().filter_map(Recorded::of).collect();
    let record = ClusterRecord { name: cluster, context, url: plane.url(), kubeconfig, processes };
    Ok((plane, record))
}

/// Returns the clusters of these numbers as controllers see them.
fn managed<'a>(
    numbers: &[usize],
    clusters: &'a [ClusterRecord],
    planes: &'a [ControlPlane],
) -> Vec<Management<'a>> {
    let managed = |&number: &usize| Management {
        name: &clusters[number].name,
        access: Access::Any(&planes[number]),
    };
    numbers.iter().map(managed).collect()
}

/// Returns the processes that work for the clusters, in the order in which they are to be ended.
fn records(
    clusters: &[ClusterRecord],
    planes: &[ControlPlane],
    controllers: &Controllers,
) -> Vec<ControllerRecord> {
    let record = |(name, cluster, process): (&str, Option<&str>, &Process)| {
        Some(ControllerRecord {
            name: name.to_owned(),
            cluster: cluster.map(str::to_owned),
            log: process.log().to_owned(),
            process: Recorded::of(process.pid())?,
        })
    };
    let name = Part::KubeControllerManager.to_string();
    let managers = clusters.iter().zip(planes).filter_map(|(cluster, plane)| {
        record((name.as_str(), Some(cluster.name.as_str()), plane.controller_manager()?))
    });
    controllers.list().filter_map(record).chain(managers).collect()
}

/// A copy with the same file mode, where users look for it.
fn copy_kubeconfig(plane: &ControlPlane, to: PathBuf) -> Result<PathBuf, SandboxError> {
    fs::copy(plane.kubeconfig(), &to).map_err(FileError::of("write", &to))?;
    Ok(to)
}

/// Returns the name of a cluster by its number.
#[must_use]
pub fn cluster_name(index: usize) -> String {
    match index {
        0 => "source".into(),
        1 => "target".into(),
        more => format!("cluster-{}", more + 1),
    }
}
