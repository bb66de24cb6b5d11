//! Starting the controllers of a sandbox, until their webhooks are called.

use std::path::{Path, PathBuf};

use futures::future::{try_join, try_join_all};
use serde_json::Value;
use support::journal::Events;

use super::conversion::convert_by;
use super::endpoint::Endpoint;
use super::manager::{Manager, STATELESS};
use super::plan::Plan;
use super::run::{Controller, Controllers};
use super::{effect, relay, webhooks};
use crate::control_plane::ControlPlane;
use crate::error::{ControlPlaneError, FileError, SandboxError};
use crate::install::create_all;
use crate::launch::{PORT_TRIES, free_ports, is_port_taken, wait_for};
use crate::process::Process;
use crate::young_server::{CallError, YoungServer};
use own_files::private;

const MUTATING: &str = "MutatingWebhookConfiguration";
const VALIDATING: &str = "ValidatingWebhookConfiguration";

/// A cluster whose controllers are to be started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Management<'a> {
    /// The name in the sandbox.
    pub(crate) name: &'a str,
    /// The way to reach it.
    pub(crate) access: Access<'a>,
}

/// The way to reach a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access<'a> {
    /// As any user: its authority is at hand.
    Any(&'a ControlPlane),
    /// With the kubeconfig of its administrator only.
    Administrator(&'a Path),
}

impl Management<'_> {
    fn administrator(&self) -> &Path {
        match self.access {
            Access::Any(plane) => plane.kubeconfig(),
            Access::Administrator(kubeconfig) => kubeconfig,
        }
    }

    /// The kubeconfig of a manager.
    pub(super) fn kubeconfig_of(&self, manager: &Manager) -> Result<PathBuf, ControlPlaneError> {
        match self.access {
            Access::Any(plane) => plane.kubeconfig_for(&manager.user(), Some("system:masters")),
            Access::Administrator(kubeconfig) => Ok(kubeconfig.to_owned()),
        }
    }
}

/// Shared by all steps of a start.
pub(super) struct Setting<'a> {
    pub(super) plan: &'a Plan,
    pub(super) clusters: &'a [Management<'a>],
}

/// Starts the controllers of clusters that run.
pub(crate) async fn start(
    plan: &Plan,
    clusters: &[Management<'_>],
    events: &Events,
) -> Result<Controllers, SandboxError> {
    events.doing("starting the controllers of Cluster API");
    Setting { plan, clusters }.start(events).await.map_err(SandboxError::Controllers)
}

impl Setting<'_> {
    async fn start(&self, events: &Events) -> Result<Controllers, ControlPlaneError> {
        let dir = self.plan.dir.join("relay");
        let relay = relay::launch(&self.plan.program, &dir, self.clusters).await?;
        let (mut managers, endpoints) = self.start_managers(&relay.kubeconfig).await?;
        events.doing("registering the webhooks of Cluster API");
        let registering = self.of_each_cluster(&endpoints);
        try_join_all(registering.map(|(cluster, answer)| self.register(cluster, answer))).await?;
        managers.push(Controller { name: "relay".into(), cluster: None, process: relay.process });
        Ok(Controllers(managers))
    }

    /// Starts all managers, again on other ports if one was taken between its choice and its use.
    async fn start_managers(
        &self,
        relay: &Path,
    ) -> Result<(Vec<Controller>, Vec<Endpoint>), ControlPlaneError> {
        let mut endpoints = self.plan.endpoints(&self.plan.ports);
        for _ in 1..PORT_TRIES {
            match self.start_managers_on(&endpoints, relay).await {
                Err(error) if is_port_taken(&error) => {}
                started => return Ok((started?, endpoints)),
            }
            endpoints = self.plan.endpoints(&free_ports(self.plan.ports.len())?);
            let converting = self.of_each_cluster(&endpoints);
            try_join_all(converting.map(|(cluster, answer)| self.convert(cluster, answer))).await?;
        }
        Ok((self.start_managers_on(&endpoints, relay).await?, endpoints))
    }

    async fn start_managers_on(
        &self,
        endpoints: &[Endpoint],
        relay: &Path,
    ) -> Result<Vec<Controller>, ControlPlaneError> {
        let shared = endpoints.last().expect("the in-memory provider has webhooks");
        let mut started = Vec::new();
        let each = self.clusters.iter().zip(endpoints.chunks(STATELESS.len()));
        for (number, (cluster, own)) in each.enumerate() {
            for ((manager, program), endpoint) in self.plan.parts.of(number).stateless().zip(own) {
                let kubeconfig = cluster.kubeconfig_of(manager)?;
                let place = (Some(cluster.name), kubeconfig.as_path());
                started.push(self.spawn((manager, program), place, endpoint)?);
            }
        }
        started.push(self.spawn(self.plan.parts.in_memory(), (None, relay), shared)?);
        self.wait(&mut started, endpoints).await?;
        Ok(started)
    }

    /// Returns the managers that answer for each cluster, and their addresses: its own ones, and
    /// the one that all share.
    fn of_each_cluster<'e>(
        &'e self,
        endpoints: &'e [Endpoint],
    ) -> impl Iterator<Item = (usize, Vec<(&'e Manager, &'e Endpoint)>)> {
        let shared = endpoints.last().expect("the in-memory provider has webhooks");
        let own = endpoints.chunks(STATELESS.len()).take(self.clusters.len());
        own.map(move |own| super::manager::all().zip(own.iter().chain([shared])).collect())
            .enumerate()
    }

    async fn convert(
        &self,
        cluster: usize,
        answer: Vec<(&Manager, &Endpoint)>,
    ) -> Result<(), ControlPlaneError> {
        let server = administrator(&self.clusters[cluster]).await?;
        for (manager, endpoint) in answer {
            convert_by(&server, &self.plan.parts.of(cluster).crds, manager, endpoint).await?;
        }
        Ok(())
    }

    pub(super) fn spawn(
        &self,
        (manager, program): (&Manager, &Path),
        (cluster, kubeconfig): (Option<&str>, &Path),
        endpoint: &Endpoint,
    ) -> Result<Controller, ControlPlaneError> {
        let name = manager.part.to_string();
        let prefix = cluster.map(|cluster| format!("{cluster}-")).unwrap_or_default();
        let log = self.plan.dir.join(format!("{prefix}{name}.log"));
        private::write(&log, "").map_err(FileError::of("write", &log))?;
        let args = manager.args(kubeconfig, &self.plan.certificates, endpoint.port);
        let process = Process::spawn(program, &args, &manager.environment(), &log);
        let process = process.map_err(|source| ControlPlaneError::Spawn {
            program: program.display().to_string(),
            source,
        })?;
        Ok(Controller { name, cluster: cluster.map(str::to_owned), process })
    }

    /// Waits until all answer at their webhooks' addresses, and for nothing longer than they live.
    pub(super) async fn wait(
        &self,
        started: &mut [Controller],
        endpoints: &[Endpoint],
    ) -> Result<(), ControlPlaneError> {
        let logs: Vec<PathBuf> = started.iter().map(|one| one.process.log().to_owned()).collect();
        let mut processes: Vec<&mut Process> =
            started.iter_mut().map(|one| &mut one.process).collect();
        let all = endpoints.iter().zip(&logs);
        let answering = try_join_all(all.map(|(endpoint, log)| async move {
            let asked = endpoint.asked(self.plan.authority.der()).await;
            let asked = asked.map_err(during("make a client for webhooks"))?;
            wait_for(&endpoint.url(), log, || asked.answers()).await
        }));
        tokio::select! {
            answered = answering => answered.map(drop),
            error = crate::launch::death(&mut processes) => Err(error),
        }
    }

    async fn register(
        &self,
        cluster: usize,
        answer: Vec<(&Manager, &Endpoint)>,
    ) -> Result<(), ControlPlaneError> {
        let server = administrator(&self.clusters[cluster]).await?;
        for (manager, endpoint) in answer {
            let (mutating, validating): (Vec<Value>, Vec<Value>) =
                webhooks::read(&self.plan.parts.of(cluster).webhooks, manager, endpoint)?
                    .into_iter()
                    .partition(|object| object["kind"] == MUTATING);
            try_join(
                create_all(&server, &webhooks::resource(MUTATING), &mutating),
                create_all(&server, &webhooks::resource(VALIDATING), &validating),
            )
            .await?;
        }
        effect::wait(&server).await
    }
}

pub(super) async fn administrator(
    cluster: &Management<'_>,
) -> Result<YoungServer, ControlPlaneError> {
    let path = cluster.administrator();
    YoungServer::of(path).await.map_err(during(&format!("read {}", path.display())))
}

fn during(action: &str) -> impl FnOnce(CallError) -> ControlPlaneError {
    let action = action.to_owned();
    |error| ControlPlaneError::Setup { action, message: error.0 }
}
