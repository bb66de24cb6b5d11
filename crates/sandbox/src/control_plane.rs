//! One local control plane: an etcd and a kube-apiserver that live as long as their handle, and if
//! wanted a kube-controller-manager.

use std::fmt;
use std::path::{Path, PathBuf};

use support::journal::Events;

use super::apiserver::ApiServer;
use super::controller_manager::{self, ControllerManager};
use super::error::{ControlPlaneError, FileError};
use super::etcd::Etcd;
use super::install::install_cluster_api;
use super::kubeconfig::url;
use super::launch::{Running, launch, wait_ready};
use super::parts::Parts;
use super::process::Process;
use own_files::private;

/// Options of a control plane to start.
#[derive(Clone, Debug, Default)]
pub struct ControlPlaneOptions {
    /// Name of cluster, context and user in the kubeconfig; `sandbox` if empty.
    pub name: String,
    /// Leave out Cluster API's CRDs and clusterctl's inventory: a plain Kubernetes API.
    pub bare: bool,
    /// Port of the API server to try first; if it is taken, another one is used.
    pub port: Option<u16>,
    /// Further arguments of kube-apiserver; they win over those that the sandbox sets.
    pub extra_apiserver_args: Vec<String>,
}

/// A running etcd and kube-apiserver on loopback, with a kube-controller-manager if one was
/// started.
///
/// Dropping it kills all of them and waits until they are gone; the folder stays. If the program
/// that holds it is killed, they are killed too.
pub struct ControlPlane {
    dir: PathBuf,
    name: String,
    kubeconfig: PathBuf,
    etcd: Etcd,
    server: ApiServer,
    manager: ControllerManager,
    running: Running,
}

impl ControlPlane {
    /// Starts a control plane whose files go to `dir`, and waits until it is ready: `/readyz` is ok
    /// and, unless [`ControlPlaneOptions::bare`], every Cluster API kind can be listed.
    ///
    /// # Errors
    ///
    /// Whatever part dies, cannot be started or does not become ready in two minutes; the error has
    /// the last lines of its log. Nothing is left running then.
    pub async fn start(
        dir: impl Into<PathBuf>,
        parts: &Parts,
        options: ControlPlaneOptions,
        events: &Events,
    ) -> Result<Self, ControlPlaneError> {
        let dir = dir.into();
        let dir = std::path::absolute(&dir).map_err(FileError::of("find", &dir))?;
        private::create_folder(&dir).map_err(FileError::of("create", &dir))?;
        let name = if options.name.is_empty() { "sandbox".to_owned() } else { options.name };
        let etcd = Etcd::prepare(parts, &dir.join("etcd"))?;
        let server =
            ApiServer::prepare(parts, &dir.join("kube-apiserver"), options.extra_apiserver_args)?;
        let manager = ControllerManager::prepare(parts, &dir.join("kube-controller-manager"))?;
        let kubeconfig = dir.join("admin.kubeconfig");
        events.doing(format!("{name}: starting etcd and kube-apiserver"));
        let running = launch(&etcd, &server, options.port, (&name, &kubeconfig)).await?;
        let plane = Self { dir, name, kubeconfig, etcd, server, manager, running };
        if !options.bare {
            events.doing(format!("{}: installing the CRDs of Cluster API", plane.name));
            install_cluster_api(&plane.kubeconfig, (&parts.crds, &parts.release)).await?;
        }
        Ok(plane)
    }

    /// Starts the kube-controller-manager with the garbage collector and the namespace controller,
    /// and waits until they work. One that still runs is killed first.
    ///
    /// The garbage collector knows the kinds that are served when it starts; of later ones it
    /// learns within half a minute. So this comes after the last CRD.
    ///
    /// # Errors
    ///
    /// It dies, cannot be started, or has not collected anything after two minutes. It does not run
    /// then.
    pub async fn start_controller_manager(
        &mut self,
        events: &Events,
    ) -> Result<(), ControlPlaneError> {
        self.kill_controller_manager().await;
        events.doing(format!("{}: starting kube-controller-manager", self.name));
        controller_manager::wait_for_kinds(&self.kubeconfig).await?;
        let (user, group) = controller_manager::USER;
        let mut process = self.manager.start(&self.kubeconfig_for(user, group)?)?;
        let port = self.running.ports.api;
        controller_manager::wait_until_it_collects(&self.kubeconfig, port, &mut process).await?;
        self.running.controller_manager = Some(process);
        Ok(())
    }

    /// Kills the kube-controller-manager the hard way, if one runs.
    pub(crate) async fn kill_controller_manager(&mut self) {
        if let Some(process) = self.running.controller_manager.take() {
            drop_in_background(process).await;
        }
    }

    /// The kube-controller-manager, if one runs.
    pub(super) fn controller_manager(&self) -> Option<&Process> {
        self.running.controller_manager.as_ref()
    }

    /// The folder: certificates, data, logs, kubeconfig files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Kubeconfig file of the administrator.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// URL of the API server, `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.running.ports.api)
    }

    /// Process ids of what runs: kube-apiserver and etcd, unless they have been killed.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.running.apiserver.iter().chain(&self.running.etcd).map(Process::pid).collect()
    }

    /// Writes a kubeconfig file for another user, known by a client certificate, and returns its
    /// path. Without RBAC rules of its own such a user may do next to nothing.
    ///
    /// # Errors
    ///
    /// The certificate cannot be made or the file cannot be written.
    pub fn kubeconfig_for(
        &self,
        user: &str,
        group: Option<&str>,
    ) -> Result<PathBuf, ControlPlaneError> {
        // A user name may be `system:node:a`, which is not a file name.
        let short: String =
            user.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let path = self.dir.join(format!("user-{short}.kubeconfig"));
        let context = format!("{}-{short}", self.name);
        self.server.write_kubeconfig(&path, &context, self.running.ports.api, (user, group))?;
        Ok(path)
    }

    /// Kills the API server the hard way; etcd and its data stay.
    pub async fn kill_apiserver(&mut self) {
        if let Some(process) = self.running.apiserver.take() {
            drop_in_background(process).await;
        }
    }

    /// Starts the API server again, on the same port and with the same data, and waits until it is
    /// ready. One that still runs is killed first.
    ///
    /// # Errors
    ///
    /// As for [`ControlPlane::start`].
    pub async fn restart_apiserver(&mut self) -> Result<(), ControlPlaneError> {
        self.kill_apiserver().await;
        let ports = self.running.ports;
        let mut process = self.server.start(ports.api, self.etcd.client_args(ports.etcd_client))?;
        let mut parts: Vec<&mut Process> = vec![&mut process];
        parts.extend(&mut self.running.etcd);
        wait_ready(&self.kubeconfig, ports.api, &mut parts).await?;
        self.running.apiserver = Some(process);
        Ok(())
    }

    /// Kills etcd the hard way; its data stays, and the API server continues without it.
    pub async fn kill_etcd(&mut self) {
        if let Some(process) = self.running.etcd.take() {
            drop_in_background(process).await;
        }
    }

    /// Starts etcd again, on the same ports and with the same data, and waits until the API server
    /// is ready. One that still runs is killed first.
    ///
    /// # Errors
    ///
    /// As for [`ControlPlane::start`].
    pub async fn restart_etcd(&mut self) -> Result<(), ControlPlaneError> {
        self.kill_etcd().await;
        let ports = self.running.ports;
        let mut process = self.etcd.restart(ports.etcd_client, ports.etcd_peer)?;
        let mut parts: Vec<&mut Process> = vec![&mut process];
        parts.extend(&mut self.running.apiserver);
        wait_ready(&self.kubeconfig, ports.api, &mut parts).await?;
        self.running.etcd = Some(process);
        Ok(())
    }

    /// Kills all parts and waits until they are gone. The same as dropping the handle, without
    /// blocking the thread.
    pub async fn stop(self) {
        drop_in_background(self).await;
    }

    /// Lets all parts run on when this program ends. Their process ids have been recorded before.
    pub(super) fn detach(self) -> Result<(), ControlPlaneError> {
        let dir = self.dir;
        let Running { controller_manager, apiserver, etcd, .. } = self.running;
        for process in controller_manager.into_iter().chain(apiserver).chain(etcd) {
            process.detach().map_err(FileError::of("detach the processes of", &dir))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPlane")
            .field("dir", &self.dir)
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

async fn drop_in_background<T: Send + 'static>(value: T) {
    // Fails only if dropping panics or the runtime is shutting down; the value is gone in both
    // cases.
    let _ = tokio::task::spawn_blocking(move || drop(value)).await;
}
