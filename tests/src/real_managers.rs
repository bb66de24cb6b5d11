//! Has the real managers of Cluster API run in clusters where they are installed.
//!
//! Stands in for kubelets, Services and a CA injector: it starts the managers as processes when
//! their Deployments are there, and leads the API servers to their webhooks. What they do is
//! theirs.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use capi::ResourceType;
use cluster::{Client, KubeconfigRef, RetryPolicy};
use sandbox::{ManagerHost, SandboxError};
use support::causes::in_one_line;
use tokio::task::JoinHandle;

/// Port of the in-memory provider; no option changes it.
const PROVIDER_PORT: u16 = 19_000;
/// Providers in the repository of the tests.
const PROVIDERS: usize = 4;

/// Works until it is dropped.
pub struct RealManagers {
    task: JoinHandle<SandboxError>,
}

impl RealManagers {
    /// Begins to watch for Deployments in clusters, which are those of the host and need not exist
    /// yet.
    pub fn begin(mut host: ManagerHost, clusters: Vec<PathBuf>) -> Self {
        let task = tokio::spawn(async move {
            let mut waiting: Vec<usize> = (0..clusters.len()).collect();
            loop {
                let mut still = Vec::new();
                for &index in &waiting {
                    if !is_installed(&clusters[index]).await {
                        still.push(index);
                    } else if let Err(error) = host.start(index).await {
                        return error;
                    }
                }
                waiting = still;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        });
        Self { task }
    }

    /// Ends with the error of managers that cannot be started, and not at all if all is well.
    ///
    /// # Panics
    /// When the task does.
    pub async fn failure(&mut self) -> String {
        in_one_line(&(&mut self.task).await.expect("it does not panic"))
    }
}

impl Drop for RealManagers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns whether all providers have their Deployments, the last thing that is installed of each.
async fn is_installed(kubeconfig: &Path) -> bool {
    if !kubeconfig.exists() {
        return false;
    }
    let Ok(client) = Client::connect("stage", &KubeconfigRef::file(kubeconfig)).await else {
        return false;
    };
    let kind = ResourceType::new("apps/v1", "Deployment", "deployments", true);
    let listed = client.with_retry(RetryPolicy::brief()).list(&kind, None).await;
    listed.is_ok_and(|deployments| deployments.len() >= PROVIDERS)
}

/// Waits until no other test has the in-memory provider running.
///
/// # Panics
/// When that takes ten minutes.
pub async fn wait_for_provider_port() {
    let deadline = Instant::now() + Duration::from_secs(600);
    while TcpListener::bind((Ipv4Addr::UNSPECIFIED, PROVIDER_PORT)).is_err() {
        assert!(
            Instant::now() < deadline,
            "port {PROVIDER_PORT} is taken; end other sandboxes with controllers"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
