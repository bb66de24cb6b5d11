//! The process of the relay: listens, and follows the active Clusters.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use capi::{ResourceType, is_paused};
use cluster::{Client, ConnectError, KubeconfigRef};
use futures::future::join_all;
use serde_json::json;
use tokio::net::TcpListener;

use super::choice::{Activity, choose};
use super::server::Relay;
use own_files::private;

/// Time between two looks for the active Clusters.
const ACTIVE_CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// The time that it waits for an answer when it looks.
const ACTIVE_CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Options of a relay.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// Kubeconfig files of the clusters, the first one being led to at first.
    pub clusters: Vec<PathBuf>,
    /// File for a kubeconfig that leads to the relay, written as soon as it listens.
    pub kubeconfig: PathBuf,
}

/// The reason why a relay cannot work.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// A kubeconfig of a cluster cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It cannot listen on 127.0.0.1.
    #[error("cannot listen on 127.0.0.1")]
    Listen(#[source] io::Error),
    /// The own kubeconfig cannot be written.
    #[error("cannot write {}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Relays until the process ends.
///
/// # Errors
/// When it cannot begin.
pub async fn relay(options: &RelayOptions) -> Result<(), RelayError> {
    let mut clusters = Vec::new();
    for (index, path) in options.clusters.iter().enumerate() {
        let name = format!("cluster {index}");
        clusters.push(Client::connect(&name, &KubeconfigRef::file(path)).await?);
    }
    let relay = Arc::new(Relay::new(&options.clusters).await?);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(RelayError::Listen)?;
    let address = listener.local_addr().map_err(RelayError::Listen)?;
    let server = format!("http://{address}{}", relay.prefix());
    private::write(&options.kubeconfig, kubeconfig(&server))
        .map_err(|source| RelayError::Kubeconfig { path: options.kubeconfig.clone(), source })?;
    tracing::info!("listening at {address}");
    tokio::join!(Arc::clone(&relay).listen(listener), follow(&relay, &clusters));
    Ok(())
}

/// A client sends no credentials to a server without TLS, so the path is what lets it in.
fn kubeconfig(server: &str) -> String {
    support::yaml::document(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "relay", "cluster": {"server": server}}],
        "users": [{"name": "relay", "user": {}}],
        "contexts": [{"name": "relay", "context": {"cluster": "relay", "user": "relay"}}],
        "current-context": "relay",
    }))
}

async fn follow(relay: &Relay, clusters: &[Client]) {
    loop {
        let activities = join_all(clusters.iter().map(activity)).await;
        let chosen = choose(relay.current(), &activities);
        if chosen != relay.current() {
            tracing::info!("turning to cluster {chosen}, as {activities:?}");
            relay.turn_to(chosen);
        }
        tokio::time::sleep(ACTIVE_CHECK_INTERVAL).await;
    }
}

async fn activity(cluster: &Client) -> Activity {
    let clusters = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    match tokio::time::timeout(ACTIVE_CHECK_TIMEOUT, cluster.list(&clusters, None)).await {
        Ok(Ok(found)) => Some(found.iter().any(|cluster| !is_paused(cluster))),
        Ok(Err(error)) => {
            tracing::info!("{}: {error}", cluster.name());
            None
        }
        Err(_) => None,
    }
}
