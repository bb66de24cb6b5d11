//! `sandbox`: local control planes.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::str::FromStr;

use cluster::{Client, KubeconfigRef};
use sandbox::fleet::{self, FleetError, FleetOptions, FleetSummary};
use sandbox::provision::provision;
use sandbox::{
    ControllersOptions, PartsOptions, RelayOptions, Release, SandboxError, SandboxInfo, Sandboxes,
    UpOptions, cluster_name, relay,
};
use support::journal::Events;

use super::error::CommandError;

/// The request of `sandbox up`.
#[derive(Clone, Debug)]
pub struct SandboxUpRequest {
    /// Name of the sandbox.
    pub name: String,
    /// Number of clusters.
    pub clusters: NonZeroUsize,
    /// Origin of the parts.
    pub parts: PartsOptions,
    /// Provisioned clusters to create in the first one.
    pub fleet: usize,
    /// Workers of each.
    pub workers: usize,
    /// Run Cluster API's controllers.
    pub controllers: bool,
    /// Clusters with other versions of Cluster API than the pinned one.
    pub releases: Vec<ClusterRelease>,
}

/// A cluster of a sandbox and its version of Cluster API, written as `source=1.10.4`.
#[derive(Clone, Debug)]
pub struct ClusterRelease {
    /// Name of the cluster.
    pub cluster: String,
    /// Version of Cluster API.
    pub release: Release,
}

impl FromStr for ClusterRelease {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (cluster, release) = text
            .split_once('=')
            .ok_or_else(|| "use CLUSTER=VERSION, for example source=1.10.4".to_owned())?;
        Ok(Self { cluster: cluster.to_owned(), release: release.parse()? })
    }
}

/// Starts a sandbox that runs on, with a fleet in its first cluster if asked for.
///
/// # Errors
/// When a part is missing, a cluster does not start, or the fleet cannot be created.
pub async fn sandbox_up(
    request: &SandboxUpRequest,
    events: &Events,
) -> Result<SandboxInfo, CommandError> {
    let releases = releases(request)?;
    events.started("sandbox", format!("Start sandbox {}", request.name));
    let options = UpOptions {
        releases,
        name: request.name.clone(),
        clusters: request.clusters,
        parts: request.parts.clone(),
        controllers: controllers(request.controllers)?,
        ..UpOptions::default()
    };
    let sandbox = Sandboxes::of_user()?.start(&options, events).await?;
    events.finished(format!("{} clusters", request.clusters));
    let fleet = create_fleet(sandbox.info(), request.fleet, request.workers, events).await;
    if let Err(CommandError::Fleet(FleetError::NotAvailable { .. })) = &fleet {
        // The logs and objects tell why; both would be gone with the sandbox.
        sandbox.detach()?;
        return fleet.map(|_| unreachable!("it has failed"));
    }
    fleet?;
    Ok(sandbox.detach()?)
}

/// Returns the versions by the numbers of their clusters.
fn releases(request: &SandboxUpRequest) -> Result<BTreeMap<usize, Release>, SandboxError> {
    let mut releases = BTreeMap::new();
    for ClusterRelease { cluster, release } in &request.releases {
        let number = (0..request.clusters.get()).find(|number| cluster_name(*number) == *cluster);
        let known = || (0..request.clusters.get()).map(cluster_name).collect();
        let number = number
            .ok_or_else(|| SandboxError::NoSuchCluster { name: cluster.clone(), known: known() })?;
        if releases.insert(number, release.clone()).is_some() {
            return Err(SandboxError::TwoVersions { name: cluster.clone() });
        }
    }
    match releases.get(&0) {
        Some(release) if request.fleet > 0 && !release.has_v1beta2() => {
            Err(SandboxError::NoFleet { release: release.clone() })
        }
        _ => Ok(releases),
    }
}

/// Returns the options of controllers, if the sandbox runs them.
pub(super) fn controllers(wanted: bool) -> Result<Option<ControllersOptions>, SandboxError> {
    let options = wanted.then(ControllersOptions::of_this_program);
    options.transpose().map_err(SandboxError::Program)
}

/// The process beside the in-memory provider; does not end by itself.
///
/// # Errors
/// When it cannot begin.
pub async fn sandbox_relay(options: &RelayOptions) -> Result<(), CommandError> {
    Ok(relay(options).await?)
}

/// Creates a fleet in the first cluster of a sandbox.
pub(super) async fn create_fleet(
    sandbox: &SandboxInfo,
    clusters: usize,
    workers: usize,
    events: &Events,
) -> Result<FleetSummary, CommandError> {
    let Some(source) = sandbox.clusters.first().filter(|_| clusters > 0) else {
        return Ok(FleetSummary::default());
    };
    let client = Client::connect("source", &KubeconfigRef::file(&source.kubeconfig)).await?;
    let options = FleetOptions { clusters, workers, ..FleetOptions::default() };
    if !sandbox.has_cluster_api_controllers() {
        return Ok(fleet::create(&client, &options, events).await?);
    }
    Ok(provision(&client, &options, events).await?)
}

/// All sandboxes of the user.
///
/// # Errors
/// When the state folder cannot be read.
pub fn sandbox_list() -> Result<Vec<SandboxInfo>, CommandError> {
    Ok(Sandboxes::of_user()?.list()?)
}

/// Ends a sandbox, or all of them.
///
/// # Errors
/// When there is none of this name, or it cannot be ended.
pub async fn sandbox_down(name: Option<&str>) -> Result<Vec<SandboxInfo>, CommandError> {
    let sandboxes = Sandboxes::of_user()?;
    match name {
        Some(name) => Ok(vec![sandboxes.down(name).await?]),
        None => Ok(sandboxes.down_all().await?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(versions: &[&str], fleet: usize) -> SandboxUpRequest {
        let releases = versions.iter().map(|text| text.parse().expect("a version")).collect();
        SandboxUpRequest {
            name: "a".to_owned(),
            clusters: NonZeroUsize::new(3).expect("not zero"),
            parts: PartsOptions::default(),
            fleet,
            workers: 0,
            controllers: false,
            releases,
        }
    }

    #[test]
    fn versions_belong_to_clusters_by_their_names() {
        let found = releases(&request(&["source=1.10.4", "cluster-3=v1.13.1"], 0)).expect("valid");
        let found: Vec<(usize, String)> =
            found.into_iter().map(|(number, release)| (number, release.to_string())).collect();
        assert_eq!(found, [(0, "v1.10.4".to_owned()), (2, "v1.13.1".to_owned())]);
    }

    #[test]
    fn versions_that_no_sandbox_can_have_are_refused() {
        let message = |versions: &[&str], fleet| {
            releases(&request(versions, fleet)).expect_err("refused").to_string()
        };
        assert!(message(&["cluster-4=1.10.4"], 0).contains("no cluster cluster-4"));
        assert!(message(&["source=1.10.4", "source=1.11.2"], 0).contains("two versions"));
        assert!(message(&["source=1.10.4"], 2).contains("v1beta2"));
        assert!(releases(&request(&["source=1.11.2"], 2)).is_ok());
        assert!("1.10.4".parse::<ClusterRelease>().is_err());
    }
}
