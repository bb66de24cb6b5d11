//! Managers for clusters that somebody else sets up, in which their providers are installed: their
//! CRDs, Deployments and webhook configurations are there, and nothing runs them.

use std::path::{Path, PathBuf};

use futures::future::try_join_all;
use serde_json::{Value, json};
use support::journal::Events;

use super::endpoint::Endpoint;
use super::manager::{Manager, STATELESS, all};
use super::parts::{ControllerParts, ControllersOptions};
use super::plan::Plan;
use super::run::Controller;
use super::start::{Access, Management, Setting, administrator};
use super::{effect, relay, webhooks};
use crate::error::{ControlPlaneError, SandboxError};
use crate::install::named;
use crate::launch::{PORT_TRIES, free_ports, is_port_taken};
use crate::parts::{Parts, PartsOptions};
use crate::young_server::{CallError, YoungServer};

/// Does for some clusters what kubelets, Services and a CA injector do for the pods of providers:
/// runs the managers, and leads the API servers to their webhooks. Dropping it kills the managers.
pub struct ManagerHost {
    clusters: Vec<PathBuf>,
    own: Vec<Controller>,
    /// Serves all clusters: the in-memory provider, with the address at which it answers.
    shared: Option<(Endpoint, Controller)>,
    relay: Option<Controller>,
    plan: Plan,
}

impl ManagerHost {
    /// Finds the programs. `clusters` are kubeconfigs of administrators, which need not exist yet;
    /// files go to a folder in `dir`.
    ///
    /// # Errors
    /// A program cannot be found or built, or the port of the in-memory provider is taken.
    pub async fn prepare(
        controllers: &ControllersOptions,
        options: &PartsOptions,
        clusters: Vec<PathBuf>,
        dir: &Path,
    ) -> Result<Self, SandboxError> {
        let parts = Parts::resolve(options, &Events::none()).await?;
        let of_clusters = vec![&parts; clusters.len()];
        let parts = ControllerParts::resolve(&of_clusters, options, &Events::none()).await?;
        let plan = Plan::make(controllers, parts, dir)?;
        Ok(Self { clusters, own: Vec::new(), shared: None, relay: None, plan })
    }

    /// The folder with the webhook configurations as providers are released with, one file of JSON
    /// for each provider: `cluster-api.json` and so on.
    #[must_use]
    pub fn webhooks(&self) -> &Path {
        &self.plan.parts.of(0).webhooks
    }

    /// Starts the managers of a cluster, and ends when its API server calls their webhooks. The
    /// first start needs the kubeconfigs of all clusters.
    ///
    /// # Errors
    /// A manager ends, or the cluster does not have what belongs to the providers.
    pub async fn start(&mut self, cluster: usize) -> Result<(), SandboxError> {
        self.try_start(cluster).await.map_err(SandboxError::Controllers)
    }

    async fn try_start(&mut self, cluster: usize) -> Result<(), ControlPlaneError> {
        let kubeconfigs = self.clusters.clone();
        let names: Vec<String> = (0..kubeconfigs.len()).map(|n| format!("cluster-{n}")).collect();
        let managements: Vec<Management<'_>> = names
            .iter()
            .zip(&kubeconfigs)
            .map(|(name, path)| Management { name, access: Access::Administrator(path) })
            .collect();
        let server = administrator(&managements[cluster]).await?;
        // A manager that does not find its own kinds ends.
        named(&server, &self.plan.parts.of(cluster).crds).await?;
        let mut tries = 1;
        let endpoints = loop {
            match self.start_managers(&managements, cluster).await {
                Err(error) if tries < PORT_TRIES && is_port_taken(&error) => tries += 1,
                started => break started?,
            }
        };
        try_join_all(all().zip(&endpoints).map(|(manager, at)| self.lead(&server, manager, at)))
            .await?;
        effect::wait(&server).await
    }

    /// Starts them on ports that are free, and returns where they answer, in the order of all
    /// managers.
    async fn start_managers(
        &mut self,
        clusters: &[Management<'_>],
        cluster: usize,
    ) -> Result<Vec<Endpoint>, ControlPlaneError> {
        if self.relay.is_none() {
            let dir = self.plan.dir.join("relay");
            let launched = relay::launch(&self.plan.program, &dir, clusters).await?;
            self.relay = Some(Controller {
                name: "relay".to_owned(),
                cluster: None,
                process: launched.process,
            });
        }
        let setting = Setting { plan: &self.plan, clusters };
        let mut endpoints = self.plan.endpoints(&free_ports(STATELESS.len() + 1)?);
        let mut started = Vec::new();
        for ((manager, program), endpoint) in
            self.plan.parts.of(cluster).stateless().zip(&endpoints)
        {
            let kubeconfig = clusters[cluster].kubeconfig_of(manager)?;
            let place = (Some(clusters[cluster].name), kubeconfig.as_path());
            started.push(setting.spawn((manager, program), place, endpoint)?);
        }
        let last = STATELESS.len();
        match &self.shared {
            Some((endpoint, _)) => endpoints[last] = endpoint.clone(),
            None => {
                let leads_to = self.plan.dir.join("relay/relay.kubeconfig");
                let provider = self.plan.parts.in_memory();
                started.push(setting.spawn(provider, (None, &leads_to), &endpoints[last])?);
            }
        }
        let count = started.len();
        setting.wait(&mut started, &endpoints[..count]).await?;
        if self.shared.is_none() {
            self.shared = started.pop().map(|provider| (endpoints[last].clone(), provider));
        }
        self.own.extend(started);
        Ok(endpoints)
    }

    /// Replaces the Services in the webhook configurations of a manager by its address.
    async fn lead(
        &self,
        server: &YoungServer,
        manager: &Manager,
        endpoint: &Endpoint,
    ) -> Result<(), ControlPlaneError> {
        for configuration in webhooks::read(self.webhooks(), manager, endpoint)? {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (kind, name) =
                (text(&configuration["kind"]), text(&configuration["metadata"]["name"]));
            let patch = json!({"webhooks": configuration["webhooks"]});
            let failed = |error: CallError| ControlPlaneError::Setup {
                action: format!("change {kind} {name}"),
                message: error.0,
            };
            server.patch(&webhooks::resource(&kind), &name, &patch).await.map_err(failed)?;
        }
        Ok(())
    }
}
