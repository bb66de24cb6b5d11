//! The connection to one API server. When its credentials are no longer accepted, the kubeconfig is
//! read again: a token may have been renewed in it, an exec plugin may give a new one.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use support::causes::in_one_line;

use super::error::{ApiErrorCause, Endpoint};
use super::exposure::{Exposure, exposures_of};
use super::kubeconfig::{KubeconfigProblem, KubeconfigRef};
use super::{proxy, transport};

/// The reason why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig is missing or unusable.
    #[error("cannot connect to the {cluster} cluster")]
    Kubeconfig {
        /// The cluster.
        cluster: String,
        /// The problem.
        #[source]
        source: KubeconfigProblem,
    },
    /// The TLS or authentication settings are unusable.
    #[error("cannot set up the connection to the {cluster} cluster: {problem}")]
    Setup {
        /// The cluster.
        cluster: String,
        /// The problem, without credentials.
        problem: String,
    },
}

/// A login in a browser takes its time; a credential plugin that hangs takes no longer.
const LONGEST_LOGIN: Duration = Duration::from_secs(300);

/// A connection that can be opened anew.
pub(super) struct Connection {
    name: String,
    kubeconfig: KubeconfigRef,
    server: String,
    /// The proxy on the way, empty if there is none.
    proxy: String,
    default_namespace: String,
    exposures: Vec<Exposure>,
    current: RwLock<Opened>,
    /// Held while it is opened anew, so that many requests that fail at once read the kubeconfig
    /// once.
    renewal: tokio::sync::Mutex<()>,
}

/// The connection as it was opened last.
#[derive(Clone)]
pub(super) struct Opened {
    /// Number of times that it was opened before.
    generation: u64,
    /// Carries requests.
    pub(super) http: kube::Client,
}

impl Connection {
    /// Reads the kubeconfig; sends nothing yet.
    pub(super) async fn open(name: &str, kubeconfig: &KubeconfigRef) -> Result<Self, ConnectError> {
        let (http, config) = open(name, kubeconfig).await?;
        // As kubectl takes an empty one.
        let default_namespace = match config.default_namespace.as_str() {
            "" => "default".to_owned(),
            namespace => namespace.to_owned(),
        };
        Ok(Self {
            name: name.to_owned(),
            kubeconfig: kubeconfig.clone(),
            server: without_secrets(&config.cluster_url),
            proxy: config.proxy_url.as_ref().map(proxy::shown).unwrap_or_default(),
            default_namespace,
            exposures: exposures_of(&config),
            current: RwLock::new(Opened { generation: 0, http }),
            renewal: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// The API server as errors name it.
    pub(super) fn endpoint(&self) -> Box<Endpoint> {
        let (server, proxy) = (self.server.clone(), self.proxy.clone());
        Box::new(Endpoint { server, proxy, flags: self.kubeconfig.flags() })
    }

    pub(super) fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    pub(super) fn exposures(&self) -> &[Exposure] {
        &self.exposures
    }

    /// The connection to send a request over.
    pub(super) fn current(&self) -> Opened {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the connection anew, unless somebody has done so since `seen`.
    ///
    /// The kubeconfig has to name the same API server as before: another one would be another
    /// cluster.
    pub(super) async fn renew(&self, seen: &Opened) -> Result<(), ApiErrorCause> {
        let _renewal = self.renewal.lock().await;
        if self.current().generation != seen.generation {
            return Ok(());
        }
        let (http, config) = open(&self.name, &self.kubeconfig)
            .await
            .map_err(|error| ApiErrorCause::Credentials(in_one_line(&error)))?;
        let server = without_secrets(&config.cluster_url);
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
) -> Result<(kube::Client, kube::Config), ConnectError> {
    let cluster = name.to_owned();
    let config = kubeconfig
        .load()
        .map_err(|source| ConnectError::Kubeconfig { cluster: cluster.clone(), source })?;
    let http =
        client(config.clone()).await.map_err(|problem| ConnectError::Setup { cluster, problem })?;
    Ok((http, config))
}

/// Makes what carries requests. This may run a credential plugin, which blocks its thread.
pub async fn client(config: kube::Config) -> Result<kube::Client, String> {
    client_within(LONGEST_LOGIN, config).await
}

async fn client_within(longest: Duration, config: kube::Config) -> Result<kube::Client, String> {
    let made = tokio::task::spawn_blocking(move || transport::client(&config));
    match tokio::time::timeout(longest, made).await {
        Ok(Ok(made)) => made,
        Ok(Err(_)) => {
            Err("its credentials cannot be used: is there a control character in them?".to_owned())
        }
        Err(_) => {
            let seconds = longest.as_secs();
            Err(format!("the credential plugin of its user did not end within {seconds} s"))
        }
    }
}

/// The URL of an API server for people and records: a login or a query in it is nobody's business.
fn without_secrets(url: &http::Uri) -> String {
    let scheme = url.scheme_str().unwrap_or("https");
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{}", url.path().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_login_and_query() {
        let of = |url: &str| without_secrets(&url.parse().expect("a URL"));
        assert_eq!(
            of("https://u:pw@a.example.org:6443/k8s/?t=s"),
            "https://a.example.org:6443/k8s"
        );
        assert_eq!(of("https://[::1]:6443/"), "https://[::1]:6443");
    }

    /// A user with this credential plugin.
    fn with_plugin(command: &str, argument: &str) -> kube::Config {
        let mut config = kube::Config::new("https://127.0.0.1:1".parse().expect("a URL"));
        let plugin = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1",
            "command": command, "args": [argument], "interactiveMode": "Never"});
        config.auth_info.exec = serde_json::from_value(plugin).expect("a plugin");
        config
    }

    #[tokio::test]
    async fn a_credential_plugin_that_hangs_is_an_error_after_its_time() {
        let config = with_plugin("/bin/sleep", "3");
        let problem = client_within(Duration::from_millis(100), config).await.err();
        let problem = problem.expect("it has no credentials");
        assert!(problem.contains("did not end within 0 s"), "{problem}");
    }

    #[tokio::test]
    async fn a_credential_plugin_with_a_line_break_in_its_token_is_an_error() {
        let credential = r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
            "status": {"token": "CANARY\nb"}}"#;
        let config = with_plugin("/bin/echo", credential);
        let problem = client(config).await.err().expect("unusable");
        assert!(problem.contains("control character") && !problem.contains("CANARY"), "{problem}");
    }
}
