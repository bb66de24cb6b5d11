//! Starting the controllers of a sandbox, until their webhooks are called.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use futures::future::{try_join, try_join_all};
use serde_json::Value;

use super::super::control_plane::ControlPlane;
use super::super::crds;
use super::super::error::{ControlPlaneError, SandboxError};
use super::super::files::{create_private_dir, write_private};
use super::super::http::{CallError, Http};
use super::super::install::create_all;
use super::super::launch::{PORT_TRIES, free_ports, is_port_taken, wait_for};
use super::super::pki::Authority;
use super::super::process::Process;
use super::conversion::convert_by;
use super::endpoint::Endpoint;
use super::manager::{Manager, STATELESS};
use super::parts::{ControllerParts, ControllersOptions};
use super::run::{Controller, Controllers};
use super::{effect, relay, webhooks};
use crate::journal::Events;

/// The in-memory provider listens there, on all addresses, and cannot be told otherwise.
const PROVIDER_PORT: u16 = 19_000;

/// A cluster whose controllers are to be started.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Management<'a> {
    /// Its name in the sandbox.
    pub(in crate::sandbox) name: &'a str,
    /// What runs of it.
    pub(in crate::sandbox) plane: &'a ControlPlane,
}

/// What all steps of a start share.
struct Setting<'a> {
    clusters: &'a [Management<'a>],
    parts: &'a ControllerParts,
    dir: PathBuf,
    certificates: PathBuf,
    authority: Authority,
    crds: Vec<Value>,
}

/// Starts the controllers of all clusters; their files go to `controllers` in `dir`.
pub(in crate::sandbox) async fn start(
    options: &ControllersOptions,
    (parts, crds): (&ControllerParts, &Path),
    dir: &Path,
    clusters: &[Management<'_>],
    events: &Events,
) -> Result<Controllers, SandboxError> {
    events.doing("starting the controllers of Cluster API");
    if TcpListener::bind((Ipv4Addr::UNSPECIFIED, PROVIDER_PORT)).is_err() {
        return Err(SandboxError::ProviderPort { port: PROVIDER_PORT });
    }
    let setting = Setting::prepare(parts, crds, dir.join("controllers"), clusters);
    let setting = setting.map_err(SandboxError::Controllers)?;
    setting.start(&options.program, events).await.map_err(SandboxError::Controllers)
}

impl<'a> Setting<'a> {
    fn prepare(
        parts: &'a ControllerParts,
        crds: &Path,
        dir: PathBuf,
        clusters: &'a [Management<'a>],
    ) -> Result<Self, ControlPlaneError> {
        let certificates = dir.join("certificates");
        create_private_dir(&certificates)
            .map_err(ControlPlaneError::file("create", &certificates))?;
        let authority = Authority::new("webhooks")?;
        let identity = authority.server("webhooks")?;
        for (name, text) in [("tls.crt", &identity.cert), ("tls.key", &identity.key)] {
            let path = certificates.join(name);
            write_private(&path, text).map_err(ControlPlaneError::file("write", path))?;
        }
        Ok(Self { clusters, parts, dir, certificates, authority, crds: crds::read(crds)? })
    }

    async fn start(
        &self,
        program: &Path,
        events: &Events,
    ) -> Result<Controllers, ControlPlaneError> {
        let relay = relay::launch(program, &self.dir.join("relay"), self.clusters).await?;
        let (mut managers, endpoints) = self.start_managers(&relay.kubeconfig).await?;
        events.doing("registering the webhooks of Cluster API");
        let registering = self.clusters.iter().zip(endpoints.chunks(STATELESS.len()));
        let shared = endpoints.last().expect("the in-memory provider has webhooks");
        try_join_all(registering.map(|(cluster, own)| self.register(cluster, own, shared))).await?;
        managers.push(Controller { name: "relay".into(), cluster: None, process: relay.process });
        Ok(Controllers(managers))
    }

    /// Starts all managers, again on other ports if one was taken between its choice and its use.
    async fn start_managers(
        &self,
        relay: &Path,
    ) -> Result<(Vec<Controller>, Vec<Endpoint>), ControlPlaneError> {
        let mut tries = 1;
        loop {
            match self.start_managers_on(free_ports(self.managers())?, relay).await {
                Err(error) if tries < PORT_TRIES && is_port_taken(&error) => tries += 1,
                result => return result,
            }
        }
    }

    fn managers(&self) -> usize {
        self.clusters.len() * STATELESS.len() + 1
    }

    async fn start_managers_on(
        &self,
        ports: Vec<u16>,
        relay: &Path,
    ) -> Result<(Vec<Controller>, Vec<Endpoint>), ControlPlaneError> {
        let ca = self.authority.cert();
        let endpoints: Vec<Endpoint> =
            ports.into_iter().map(|port| Endpoint { port, ca: ca.clone() }).collect();
        let shared = endpoints.last().expect("the in-memory provider has webhooks");
        let converting = self.clusters.iter().zip(endpoints.chunks(STATELESS.len()));
        try_join_all(converting.map(|(cluster, own)| self.convert(cluster, own, shared))).await?;
        let mut started = Vec::new();
        for (cluster, own) in self.clusters.iter().zip(endpoints.chunks(STATELESS.len())) {
            for ((manager, program), endpoint) in self.parts.stateless().zip(own) {
                let group = Some("system:masters");
                let kubeconfig = cluster.plane.kubeconfig_for(&manager.user(), group)?;
                let place = (Some(cluster.name), kubeconfig.as_path());
                started.push(self.spawn((manager, program), place, endpoint)?);
            }
        }
        started.push(self.spawn(self.parts.in_memory(), (None, relay), shared)?);
        self.wait(&mut started, &endpoints).await?;
        Ok((started, endpoints))
    }

    async fn convert(
        &self,
        cluster: &Management<'_>,
        own: &[Endpoint],
        shared: &Endpoint,
    ) -> Result<(), ControlPlaneError> {
        let http = administrator(cluster).await?;
        for (manager, endpoint) in super::manager::all().zip(own.iter().chain([shared])) {
            convert_by(&http, &self.crds, manager, endpoint).await?;
        }
        Ok(())
    }

    fn spawn(
        &self,
        (manager, program): (&Manager, &Path),
        (cluster, kubeconfig): (Option<&str>, &Path),
        endpoint: &Endpoint,
    ) -> Result<Controller, ControlPlaneError> {
        let name = manager.part.to_string();
        let prefix = cluster.map(|cluster| format!("{cluster}-")).unwrap_or_default();
        let log = self.dir.join(format!("{prefix}{name}.log"));
        std::fs::write(&log, "").map_err(ControlPlaneError::file("write", &log))?;
        let args = manager.args(kubeconfig, &self.certificates, endpoint.port);
        let process = Process::spawn_in(program, &args, &manager.environment(), &log);
        let process = process.map_err(|source| ControlPlaneError::Spawn {
            program: program.display().to_string(),
            source,
        })?;
        Ok(Controller { name, cluster: cluster.map(str::to_owned), process })
    }

    /// Waits until all answer at their webhooks' addresses, and for nothing longer than they live.
    async fn wait(
        &self,
        started: &mut [Controller],
        endpoints: &[Endpoint],
    ) -> Result<(), ControlPlaneError> {
        let logs: Vec<PathBuf> = started.iter().map(|one| one.process.log().to_owned()).collect();
        let mut processes: Vec<&mut Process> =
            started.iter_mut().map(|one| &mut one.process).collect();
        let all = endpoints.iter().zip(&logs);
        let answering = try_join_all(all.map(|(endpoint, log)| async move {
            let http = Http::trusting(&endpoint.url(), self.authority.der())
                .map_err(during("make a client for webhooks"))?;
            wait_for(&endpoint.url(), log, || http.answers("/convert")).await
        }));
        tokio::select! {
            answered = answering => answered.map(drop),
            error = super::super::launch::death(&mut processes) => Err(error),
        }
    }

    async fn register(
        &self,
        cluster: &Management<'_>,
        own: &[Endpoint],
        shared: &Endpoint,
    ) -> Result<(), ControlPlaneError> {
        let http = administrator(cluster).await?;
        for (manager, endpoint) in super::manager::all().zip(own.iter().chain([shared])) {
            let (mutating, validating): (Vec<Value>, Vec<Value>) =
                webhooks::read(&self.parts.webhooks, manager, endpoint)?
                    .into_iter()
                    .partition(|object| object["kind"] == "MutatingWebhookConfiguration");
            let base = "/apis/admissionregistration.k8s.io/v1";
            let (mutating_at, validating_at) = (
                format!("{base}/mutatingwebhookconfigurations"),
                format!("{base}/validatingwebhookconfigurations"),
            );
            try_join(
                create_all(&http, &mutating_at, &mutating),
                create_all(&http, &validating_at, &validating),
            )
            .await?;
        }
        effect::wait(&http).await
    }
}

async fn administrator(cluster: &Management<'_>) -> Result<Http, ControlPlaneError> {
    let path = cluster.plane.kubeconfig();
    Http::new(path).await.map_err(during(&format!("read {}", path.display())))
}

fn during(action: &str) -> impl FnOnce(CallError) -> ControlPlaneError {
    let action = action.to_owned();
    |error| ControlPlaneError::Setup { action, message: error.0 }
}
