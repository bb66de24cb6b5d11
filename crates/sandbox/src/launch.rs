//! Starting the two processes of a control plane on free ports, and waiting until they are ready.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use super::apiserver::ApiServer;
use super::error::ControlPlaneError;
use super::etcd::Etcd;
use super::files::tail;
use super::kubeconfig::url;
use super::process::Process;
use super::young_server::{CallError, YoungServer};

/// The time that an API server may take to become ready; 2 to 6 s are usual.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Starts with other ports, if another process takes one of them in between.
pub(super) const PORT_TRIES: usize = 5;

/// Time between two questions for readiness.
const READINESS_INTERVAL: Duration = Duration::from_millis(200);

/// The processes and the ports that they listen on.
pub(super) struct Running {
    pub(super) ports: Ports,
    // Dropped in this order: clients before the API server, and that before the store that it
    // writes to.
    pub(super) controller_manager: Option<Process>,
    pub(super) apiserver: Option<Process>,
    pub(super) etcd: Option<Process>,
}

/// The ports of a control plane, all on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) api: u16,
    pub(super) etcd_client: u16,
    pub(super) etcd_peer: u16,
}

/// Starts both parts, again with other ports if one was taken between its choice and its use.
pub(super) async fn launch(
    etcd: &Etcd,
    server: &ApiServer,
    wanted: Option<u16>,
    (name, kubeconfig): (&str, &Path),
) -> Result<Running, ControlPlaneError> {
    let mut tries = 1;
    loop {
        let mut ports = Ports::pick()?;
        if tries == 1 {
            ports.api = wanted.unwrap_or(ports.api);
        }
        server.write_kubeconfig(
            kubeconfig,
            name,
            ports.api,
            ("sandbox-admin", Some("system:masters")),
        )?;
        match launch_on(etcd, server, ports, kubeconfig).await {
            Err(error) if tries < PORT_TRIES && is_port_taken(&error) => tries += 1,
            result => return result,
        }
    }
}

async fn launch_on(
    etcd: &Etcd,
    server: &ApiServer,
    ports: Ports,
    kubeconfig: &Path,
) -> Result<Running, ControlPlaneError> {
    let mut store = etcd.start(ports.etcd_client, ports.etcd_peer)?;
    server.clear_log()?;
    let mut process = server.start(ports.api, etcd.client_args(ports.etcd_client))?;
    wait_ready(kubeconfig, ports.api, &mut [&mut process, &mut store]).await?;
    Ok(Running { ports, controller_manager: None, apiserver: Some(process), etcd: Some(store) })
}

impl Ports {
    fn pick() -> Result<Self, ControlPlaneError> {
        match free_ports(3)?.as_slice() {
            &[api, etcd_client, etcd_peer] => Ok(Self { api, etcd_client, etcd_peer }),
            _ => unreachable!("as many ports as asked for"),
        }
    }
}

/// Ports that were free a moment ago. All are held at once, so that they differ.
pub(super) fn free_ports(count: usize) -> Result<Vec<u16>, ControlPlaneError> {
    let listeners: Result<Vec<TcpListener>, std::io::Error> =
        (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect();
    let ports = listeners.and_then(|all| {
        all.iter().map(|one| one.local_addr().map(|address| address.port())).collect()
    });
    ports.map_err(ControlPlaneError::Port)
}

/// Waits for `/readyz`, and for nothing longer than the parts live.
pub(super) async fn wait_ready(
    kubeconfig: &Path,
    port: u16,
    parts: &mut [&mut Process],
) -> Result<(), ControlPlaneError> {
    let setup = |error: CallError| ControlPlaneError::Setup {
        action: format!("read {}", kubeconfig.display()),
        message: error.0,
    };
    let server = YoungServer::of(kubeconfig).await.map_err(setup)?;
    let log = parts.first().map(|part| part.log().to_owned()).unwrap_or_default();
    let once = server.once();
    let is_ready = || async { Ok(once.get_text("/readyz").await.map(drop)?) };
    let url = url(port);
    tokio::select! {
        ready = wait_for(&url, &log, is_ready) => ready,
        error = death(parts) => Err(error),
    }
}

/// Asks again and again, until the answer is good or a start has taken too long.
pub(super) async fn wait_for<F>(
    url: &str,
    log: &Path,
    ask: impl Fn() -> F,
) -> Result<(), ControlPlaneError>
where
    F: Future<Output = Result<(), CallError>>,
{
    let mut last_seen = String::new();
    let good = async {
        while let Err(error) = ask().await {
            last_seen = error.0;
            tokio::time::sleep(READINESS_INTERVAL).await;
        }
    };
    let in_time = tokio::time::timeout(START_TIMEOUT, good).await;
    in_time.map_err(|_| ControlPlaneError::NotReady {
        url: url.to_owned(),
        seconds: START_TIMEOUT.as_secs(),
        last_seen,
        log: log.to_owned(),
    })
}

/// Ends when one of the parts does. Another program that listens on a port that was taken may keep
/// a caller waiting, so this must not depend on an answer.
pub(super) async fn death(parts: &mut [&mut Process]) -> ControlPlaneError {
    loop {
        for part in parts.iter_mut() {
            if part.has_ended() {
                return died(part);
            }
        }
        tokio::time::sleep(READINESS_INTERVAL).await;
    }
}

fn died(part: &Process) -> ControlPlaneError {
    let log = part.log().to_owned();
    let program = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    ControlPlaneError::Died { program, log_tail: tail(&log, 3), log }
}

/// Returns true if a part has ended because another process had its port.
pub(super) fn is_port_taken(error: &ControlPlaneError) -> bool {
    matches!(error, ControlPlaneError::Died { log, .. }
        if tail(log, 100).contains("address already in use"))
}
