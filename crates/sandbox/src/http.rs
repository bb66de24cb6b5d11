//! The few calls that setting up a control plane needs, with a bounded retry of its own.
//!
//! A young API server refuses connections, answers 429 while a new kind's storage is initialised
//! and 404 until a new kind is served; those are waited out here.

use std::path::Path;
use std::time::{Duration, Instant};

use cluster::{AGGREGATED_DISCOVERY, Served};
use http::header::ACCEPT;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use support::causes::in_one_line;

/// A call that failed for good, as text.
#[derive(Debug)]
pub(super) struct CallError(pub(super) String);

/// The API server of one control plane, as its administrator.
#[derive(Clone)]
pub(super) struct Http(kube::Client);

/// The time that a young API server may take. A busy machine has been seen to serve a new kind only
/// after half a minute.
pub(super) const YOUNG_SERVER_TIMEOUT: Duration = Duration::from_secs(120);
/// The pause between two looks.
pub(super) const YOUNG_SERVER_RETRY_INTERVAL: Duration = Duration::from_millis(50);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

impl Http {
    /// A client for the current context of a kubeconfig file. Does not connect yet.
    pub(super) async fn new(kubeconfig: &Path) -> Result<Self, CallError> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(text)?;
        let mut config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .map_err(text)?;
        config.default_retry = false;
        // A proxy from the environment must not come between this program and its own loopback.
        config.proxy_url = None;
        kube::Client::try_from(config).map(Self).map_err(text)
    }

    /// A client for an HTTPS server that one authority vouches for, without any credentials.
    pub(super) fn trusting(url: &str, authority: Vec<u8>) -> Result<Self, CallError> {
        let mut config = kube::Config::new(url.parse().map_err(text)?);
        config.root_cert = Some(vec![authority]);
        config.default_retry = false;
        config.proxy_url = None;
        kube::Client::try_from(config).map(Self).map_err(text)
    }

    /// Checks that a GET gets an answer; a refusal is one too.
    pub(super) async fn answers(&self, path: &str) -> Result<(), CallError> {
        let request = http::Request::get(path).body(Vec::new()).map_err(text)?;
        match tokio::time::timeout(CALL_TIMEOUT, self.0.request_text(request)).await {
            Ok(Ok(_) | Err(kube::Error::Api(_))) => Ok(()),
            Ok(Err(error)) => Err(text(error)),
            Err(_) => Err(silence()),
        }
    }

    /// Creates an object, not retried.
    pub(super) async fn post_once(&self, path: &str, object: &Value) -> Result<Value, CallError> {
        let request = http::Request::post(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(object.to_string().into_bytes());
        let call = self.0.request::<Value>(request.map_err(text)?);
        match tokio::time::timeout(CALL_TIMEOUT, call).await {
            Ok(result) => result.map_err(text),
            Err(_) => Err(silence()),
        }
    }

    /// Changes an object by a merge patch.
    pub(super) async fn patch(&self, path: &str, patch: &Value) -> Result<(), CallError> {
        let body = patch.to_string().into_bytes();
        let request = || {
            http::Request::patch(path)
                .header(http::header::CONTENT_TYPE, "application/merge-patch+json")
                .body(body.clone())
        };
        self.retry(request, |_| false).await.map(drop)
    }

    /// One GET of a plain text path such as `/readyz`, not retried.
    pub(super) async fn probe(&self, path: &str) -> Result<String, CallError> {
        let request = http::Request::get(path).body(Vec::new()).map_err(text)?;
        match tokio::time::timeout(CALL_TIMEOUT, self.0.request_text(request)).await {
            Ok(result) => result.map_err(text),
            Err(_) => Err(silence()),
        }
    }

    /// Returns true if there is no such object (404), not retried.
    pub(super) async fn is_gone(&self, path: &str) -> Result<bool, CallError> {
        let request = http::Request::get(path).body(Vec::new()).map_err(text)?;
        match tokio::time::timeout(CALL_TIMEOUT, self.0.request_text(request)).await {
            Ok(Ok(_)) => Ok(false),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Ok(true),
            Ok(Err(error)) => Err(text(error)),
            Err(_) => Err(silence()),
        }
    }

    /// Reads an object or a list; a 404 is waited out, for the kind may not be served yet.
    pub(super) async fn get(&self, path: &str) -> Result<Value, CallError> {
        self.retry(|| http::Request::get(path).body(Vec::new()), |code| code == 404).await
    }

    /// Asks for all kinds that are served, as [`Served`] reads it.
    pub(super) async fn served(&self) -> Result<Served, CallError> {
        let request =
            || http::Request::get("/apis").header(ACCEPT, AGGREGATED_DISCOVERY).body(Vec::new());
        self.retry(request, |_| false).await.map(|answer| Served::aggregated(&answer))
    }

    /// Creates an object; one that exists already is left alone.
    pub(super) async fn create(&self, path: &str, object: &Value) -> Result<(), CallError> {
        let body = object.to_string().into_bytes();
        let request = || {
            http::Request::post(path)
                .header(http::header::CONTENT_TYPE, "application/json")
                .body(body.clone())
        };
        match self.retry(request, |code| code == 404).await {
            Err(CallError(message)) if message.starts_with("409 AlreadyExists") => Ok(()),
            result => result.map(drop),
        }
    }

    async fn retry(
        &self,
        request: impl Fn() -> http::Result<http::Request<Vec<u8>>>,
        also: impl Fn(u16) -> bool,
    ) -> Result<Value, CallError> {
        let deadline = Instant::now() + YOUNG_SERVER_TIMEOUT;
        loop {
            let call = self.0.request::<Value>(request().map_err(text)?);
            let error = match tokio::time::timeout(CALL_TIMEOUT, call).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(kube::Error::Api(status))) => {
                    let message =
                        CallError(format!("{} {}: {}", status.code, status.reason, status.message));
                    if !matches!(status.code, 429 | 500 | 503 | 504) && !also(status.code) {
                        return Err(message);
                    }
                    message
                }
                Ok(Err(error)) => text(error),
                Err(_) => silence(),
            };
            if Instant::now() > deadline {
                return Err(error);
            }
            tokio::time::sleep(YOUNG_SERVER_RETRY_INTERVAL).await;
        }
    }
}

fn silence() -> CallError {
    CallError(format!("no answer within {} s", CALL_TIMEOUT.as_secs()))
}

/// An error with its causes in one line.
fn text(error: impl std::error::Error) -> CallError {
    CallError(in_one_line(&error))
}
