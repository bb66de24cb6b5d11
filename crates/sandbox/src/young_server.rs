//! An API server that has just started, as its administrator sees it.
//!
//! It refuses connections, answers 429 while the storage of a new kind is initialised and 404 until
//! a new kind is served. The client of the clusters waits the first two out, with bounds of its
//! own; the rest is here.

use std::path::Path;
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, KubeconfigRef, PatchKind, RetryPolicy, Served, WriteOptions};
use serde_json::Value;
use support::causes::in_one_line;

/// A call that failed for good, as text.
#[derive(Debug)]
pub(super) struct CallError(pub(super) String);

impl From<ApiError> for CallError {
    /// Without the object, which the caller names.
    fn from(error: ApiError) -> Self {
        Self(error.cause.to_string())
    }
}

/// The time that a young API server may take. A busy machine has been seen to serve a new kind only
/// after half a minute.
pub(super) const YOUNG_SERVER_TIMEOUT: Duration = Duration::from_secs(120);
/// The pause between two looks.
pub(super) const YOUNG_SERVER_RETRY_INTERVAL: Duration = Duration::from_millis(50);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// Looks again at the same short intervals, for as long as a young server may take.
const RETRY: RetryPolicy = RetryPolicy {
    attempts: u32::MAX,
    first_pause: YOUNG_SERVER_RETRY_INTERVAL,
    longest_pause: YOUNG_SERVER_RETRY_INTERVAL,
    patience: YOUNG_SERVER_TIMEOUT,
};

/// The API server of one control plane, as its administrator.
#[derive(Clone)]
pub(super) struct YoungServer(Client);

impl YoungServer {
    /// A client for the current context of a kubeconfig file. Does not connect yet.
    pub(super) async fn of(kubeconfig: &Path) -> Result<Self, CallError> {
        let reference = KubeconfigRef { path: Some(kubeconfig.to_owned()), context: None };
        let client = Client::connect("sandbox", &reference).await;
        let client = client.map_err(|error| CallError(in_one_line(&error)))?;
        Ok(Self(client.with_timeout(CALL_TIMEOUT).with_retry(RETRY)))
    }

    /// The same connection, for a caller who decides about each attempt.
    pub(super) fn once(&self) -> Client {
        self.0.clone().with_retry(RetryPolicy::once())
    }

    /// Changes an object by a merge patch.
    pub(super) async fn patch(
        &self,
        kind: &ResourceType,
        name: &str,
        patch: &Value,
    ) -> Result<(), CallError> {
        let patch = (PatchKind::Merge, patch);
        self.0.patch(kind, (None, name), patch, &WriteOptions::default()).await?;
        Ok(())
    }

    /// Lists a kind, which may not be served yet.
    pub(super) async fn list(&self, kind: &ResourceType) -> Result<Vec<Object>, CallError> {
        Ok(patiently(|| self.0.list(kind, None)).await?)
    }

    /// Waits until a kind can be listed, and reads no more than one object.
    pub(super) async fn lists(&self, kind: &ResourceType) -> Result<(), CallError> {
        let path = format!("{}?limit=1", kind.collection(None));
        patiently(|| self.0.get_path(&path)).await?;
        Ok(())
    }

    /// Asks for all kinds that are served.
    pub(super) async fn served(&self) -> Result<Served, CallError> {
        Ok(Served::read(&self.0).await?)
    }

    /// Creates an object, whose kind may not be served yet; one that exists already is left alone.
    pub(super) async fn create(
        &self,
        kind: &ResourceType,
        object: &Value,
    ) -> Result<(), CallError> {
        let (object, options) = (Object::new(object.clone()), WriteOptions::default());
        match patiently(|| self.0.create(kind, &object, &options)).await {
            Err(error) if !error.is_already_exists() => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Calls again while a kind is not served, and when nobody knows whether the call was carried out:
/// a create that was finds its own object.
async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let deadline = Instant::now() + YOUNG_SERVER_TIMEOUT;
    loop {
        let result = call().await;
        let is_young = |error: &ApiError| error.is_not_found() || error.is_ambiguous();
        if !result.as_ref().is_err_and(is_young) || Instant::now() > deadline {
            return result;
        }
        tokio::time::sleep(YOUNG_SERVER_RETRY_INTERVAL).await;
    }
}
