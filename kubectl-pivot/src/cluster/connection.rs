//! The connection to one API server. When its credentials are no longer accepted, the kubeconfig is
//! read again: a token may have been renewed in it, an exec plugin may give a new one.

use std::sync::{PoisonError, RwLock};

use super::error::ApiErrorCause;
use super::kubeconfig::{KubeconfigProblem, KubeconfigRef};
use crate::causes::in_one_line;

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig is missing or unusable.
    #[error("cannot connect to the {cluster} cluster")]
    Kubeconfig {
        /// Which cluster.
        cluster: String,
        /// What is wrong.
        #[source]
        source: KubeconfigProblem,
    },
    /// The TLS or authentication settings are unusable.
    #[error("cannot set up the connection to the {cluster} cluster")]
    Setup {
        /// Which cluster.
        cluster: String,
        /// What is wrong.
        #[source]
        source: Box<kube::Error>,
    },
}

/// A connection that can be opened anew.
pub(super) struct Connection {
    name: String,
    kubeconfig: KubeconfigRef,
    server: String,
    default_namespace: String,
    current: RwLock<Opened>,
    /// Held while it is opened anew, so that many requests that fail at once read the kubeconfig once.
    renewal: tokio::sync::Mutex<()>,
}

/// The connection as it was opened last.
#[derive(Clone)]
pub(super) struct Opened {
    /// How often it was opened before.
    generation: u64,
    /// What carries requests.
    pub(super) http: kube::Client,
}

impl Connection {
    /// Reads the kubeconfig; sends nothing yet.
    pub(super) async fn open(name: &str, kubeconfig: &KubeconfigRef) -> Result<Self, ConnectError> {
        let (http, server, default_namespace) = open(name, kubeconfig).await?;
        Ok(Self {
            name: name.to_owned(),
            kubeconfig: kubeconfig.clone(),
            server,
            default_namespace,
            current: RwLock::new(Opened { generation: 0, http }),
            renewal: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// The connection to send a request over.
    pub(super) fn current(&self) -> Opened {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the connection anew, unless somebody has done so since `seen`.
    ///
    /// The kubeconfig has to name the same API server as before: another one would be another cluster.
    pub(super) async fn renew(&self, seen: &Opened) -> Result<(), ApiErrorCause> {
        let _renewal = self.renewal.lock().await;
        if self.current().generation != seen.generation {
            return Ok(());
        }
        let (http, server, _) = open(&self.name, &self.kubeconfig)
            .await
            .map_err(|error| ApiErrorCause::Credentials(in_one_line(&error)))?;
        if server != self.server {
            return Err(ApiErrorCause::Credentials(format!(
                "its kubeconfig now names another API server, {server} instead of {}",
                self.server
            )));
        }
        let opened = Opened { generation: seen.generation + 1, http };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = opened;
        Ok(())
    }
}

async fn open(
    name: &str,
    kubeconfig: &KubeconfigRef,
) -> Result<(kube::Client, String, String), ConnectError> {
    let cluster = name.to_owned();
    let mut config = kubeconfig
        .load()
        .await
        .map_err(|source| ConnectError::Kubeconfig { cluster: cluster.clone(), source })?;
    config.default_retry = false;
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let default_namespace = config.default_namespace.clone();
    let http = kube::Client::try_from(config)
        .map_err(|source| ConnectError::Setup { cluster, source: Box::new(source) })?;
    Ok((http, server, default_namespace))
}
