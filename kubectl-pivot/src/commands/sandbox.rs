//! `sandbox`: local control planes.

use std::num::NonZeroUsize;

use crate::cluster::{Client, KubeconfigRef};
use crate::journal::Events;
use crate::sandbox::fleet::{self, FleetError, FleetOptions, FleetSummary};
use crate::sandbox::provision::provision;
use crate::sandbox::{
    ControllersOptions, PartsOptions, RelayOptions, SandboxError, SandboxInfo, Sandboxes,
    UpOptions, relay,
};

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
}

/// Starts a sandbox that runs on, with a fleet in its first cluster if asked for.
///
/// # Errors
/// When a part is missing, a cluster does not start, or the fleet cannot be created.
pub async fn sandbox_up(
    request: &SandboxUpRequest,
    events: &Events,
) -> Result<SandboxInfo, CommandError> {
    events.started("sandbox", format!("Start sandbox {}", request.name));
    let options = UpOptions {
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
