//! The client of one cluster: every request passes [`Client::send`], which times it out, retries it
//! where that is safe, counts it, and gives its error a name.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use futures::future::{BoxFuture, FutureExt as _};
use http::Method;
use serde_json::{Value, json};
use support::journal::Events;

use super::answer::{Answer, Failure, Form, read_answer};
use super::call::Call;
use super::connection::{ConnectError, Connection, Opened};
use super::error::{ApiError, ApiErrorCause, Endpoint, Subject, Verb, classify};
use super::exposure::Exposure;
use super::gate::Gate;
use super::kubeconfig::KubeconfigRef;
use super::list::{check_names, encode};
use super::pace::Pace;
use super::retry::{RetryPolicy, is_retryable};
use super::secrecy::without_values;

/// The field manager of everything this program writes.
pub const FIELD_MANAGER: &str = "kubectl-pivot";

/// Kinds of a PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// JSON merge patch (RFC 7386).
    Merge,
    /// JSON patch (RFC 6902).
    Json,
    /// Server-side apply, forced.
    Apply,
}

/// Options of a write.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Validate and admit, but do not store.
    pub dry_run: bool,
    /// The field manager recorded in `managedFields`.
    pub field_manager: String,
    /// Write to this subresource, for example `status`.
    pub subresource: Option<&'static str>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self { dry_run: false, field_manager: FIELD_MANAGER.to_owned(), subresource: None }
    }
}

impl WriteOptions {
    /// Server-side dry-run.
    pub fn dry_run() -> Self {
        Self { dry_run: true, ..Self::default() }
    }

    /// As another field manager.
    pub fn manager(name: &str) -> Self {
        Self { field_manager: name.to_owned(), ..Self::default() }
    }

    /// To the status subresource.
    #[must_use]
    pub fn status(mut self) -> Self {
        self.subresource = Some("status");
        self
    }

    fn query(&self) -> String {
        let dry_run = if self.dry_run { "&dryRun=All" } else { "" };
        format!("fieldManager={}{dry_run}", encode(&self.field_manager))
    }

    fn path(&self, base: &str) -> String {
        self.subresource.map_or_else(|| base.to_owned(), |sub| format!("{base}/{sub}"))
    }
}

/// A connection to one cluster. Cheap to clone; clones share connections, counters and the gate.
#[derive(Clone)]
pub struct Client {
    name: Arc<str>,
    connection: Arc<Connection>,
    retry: RetryPolicy,
    timeout: Duration,
    gate: Arc<RwLock<Option<Gate>>>,
    counts: Arc<[AtomicU64; Verb::ALL.len()]>,
    pace: Arc<Pace>,
    events: Arc<RwLock<Option<Events>>>,
}

impl Client {
    /// Reads the kubeconfig and prepares a client; sends nothing yet.
    ///
    /// `name` is what errors call the cluster: `source`, `target`.
    ///
    /// # Errors
    /// When the kubeconfig is missing or unusable.
    pub async fn connect(name: &str, kubeconfig: &KubeconfigRef) -> Result<Self, ConnectError> {
        Ok(Self {
            name: name.into(),
            connection: Arc::new(Connection::open(name, kubeconfig).await?),
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(60),
            gate: Arc::default(),
            counts: Arc::default(),
            pace: Arc::default(),
            events: Arc::default(),
        })
    }

    /// The same connection with other bounds on retries.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The same connection with another time-out for a single attempt of a request.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// From now on every attempt of a write of this client and of its clones passes this gate, and
    /// no request is waited for any longer once it is closed.
    pub fn guard(&self, gate: Option<Gate>) {
        *self.gate.write().unwrap_or_else(PoisonError::into_inner) = gate;
    }

    /// The same connection without the gate: for the writes that keep it open.
    #[must_use]
    pub fn unguarded(mut self) -> Self {
        self.gate = Arc::default();
        self
    }

    /// The number of writes that the cluster takes at the same time.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    fn gate(&self) -> Option<Gate> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns what errors call this cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// URL of the API server.
    pub fn server(&self) -> &str {
        self.connection.server()
    }

    /// The API server as errors name it.
    pub(super) fn endpoint(&self) -> Box<Endpoint> {
        self.connection.endpoint()
    }

    /// Returns what others can read of this connection, or answer in the place of the API server.
    pub fn exposures(&self) -> &[Exposure] {
        self.connection.exposures()
    }

    /// Reports from now on when a request of this client or of its clones takes long.
    pub fn tell(&self, events: &Events) {
        *self.events.write().unwrap_or_else(PoisonError::into_inner) = Some(events.clone());
    }

    /// Namespace of the kubeconfig's context.
    pub fn default_namespace(&self) -> &str {
        self.connection.default_namespace()
    }

    /// The pause before a caller's own attempt `attempt + 1`.
    pub fn pause(&self, attempt: u32) -> Duration {
        self.retry.pause(attempt, None)
    }

    /// Requests sent so far, by verb; attempts count, not calls.
    pub fn requests(&self) -> BTreeMap<Verb, u64> {
        Verb::ALL
            .into_iter()
            .zip(self.counts.iter())
            .map(|(verb, count)| (verb, count.load(Ordering::Relaxed)))
            .collect()
    }

    /// Reads the JSON object at a path that is no resource, such as `/version`.
    ///
    /// # Errors
    /// When the request fails, or answers something else.
    pub async fn get_path(&self, path: &str) -> Result<Value, ApiError> {
        self.send(Call::read(Verb::Get, Subject::Path(path.to_owned()), path.to_owned())).await
    }

    /// Reads the text at a path, such as `/readyz` or a log.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn get_text(&self, path: &str) -> Result<String, ApiError> {
        let mut call = Call::read(Verb::Get, Subject::Path(path.to_owned()), path.to_owned());
        call.form = Form::Text;
        Ok(self.send(call).await?.as_str().unwrap_or_default().to_owned())
    }

    /// Reads one object; `None` when it does not exist.
    ///
    /// # Errors
    /// When the request fails otherwise.
    pub async fn get(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Object>, ApiError> {
        let subject = Subject::Object(kind.id(namespace, name));
        let mut call = Call::read(Verb::Get, subject, kind.path(namespace, name));
        call.form = Form::Object;
        match self.send(call).await {
            Ok(value) => {
                let object = Object::new(value);
                let problem = check_names(kind, namespace, &object, true).err();
                let is_other = object.name() != name || object.kind() != kind.kind;
                match problem.or_else(|| is_other.then(|| format!("it is {}", object.id()))) {
                    None => Ok(Some(object)),
                    Some(problem) => Err(ApiError {
                        cluster: self.name.to_string(),
                        endpoint: self.endpoint(),
                        verb: Verb::Get,
                        subject: Subject::Object(kind.id(namespace, name)),
                        cause: ApiErrorCause::Malformed(problem),
                    }),
                }
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns what the API server serves, as `APIGroupDiscoveryList` where it knows that.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn aggregated_discovery(&self) -> Result<Value, ApiError> {
        let mut call = Call::read(Verb::Get, Subject::Path("/apis".to_owned()), "/apis".to_owned());
        call.accept = super::served::AGGREGATED_DISCOVERY;
        call.form = Form::Discovery;
        self.send(call).await
    }

    /// Creates an object. Never repeated when it may have been stored: see
    /// [`ApiError::is_ambiguous`].
    ///
    /// # Errors
    /// When the request fails.
    pub async fn create(
        &self,
        kind: &ResourceType,
        object: &Object,
        options: &WriteOptions,
    ) -> Result<Object, ApiError> {
        let uri = format!("{}?{}", kind.collection(object.namespace()), options.query());
        let subject = Subject::Object(kind.id(object.namespace(), object.name()));
        let mut call = Call::write(Verb::Create, subject, Method::POST, uri, object.value());
        // Neither a rehearsal nor a question about permissions leaves anything behind.
        call.repeatable = options.dry_run || kind.group == "authorization.k8s.io";
        self.send(call).await.map(Object::new)
    }

    /// Replaces an object; its `resourceVersion`, if set, is a precondition.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn update(
        &self,
        kind: &ResourceType,
        object: &Object,
        options: &WriteOptions,
    ) -> Result<Object, ApiError> {
        let path = options.path(&kind.path(object.namespace(), object.name()));
        let uri = format!("{path}?{}", options.query());
        let subject = Subject::Object(kind.id(object.namespace(), object.name()));
        self.send(Call::write(Verb::Update, subject, Method::PUT, uri, object.value()))
            .await
            .map(Object::new)
    }

    /// Changes an object. A `metadata.uid` in a merge patch is a precondition.
    ///
    /// # Errors
    /// When the request fails.
    pub async fn patch(
        &self,
        kind: &ResourceType,
        (namespace, name): (Option<&str>, &str),
        (patch_kind, patch): (PatchKind, &Value),
        options: &WriteOptions,
    ) -> Result<Object, ApiError> {
        let force = if patch_kind == PatchKind::Apply { "&force=true" } else { "" };
        let uri =
            format!("{}?{}{force}", options.path(&kind.path(namespace, name)), options.query());
        let subject = Subject::Object(kind.id(namespace, name));
        let mut call = Call::write(Verb::Patch, subject, Method::PATCH, uri, patch);
        call.content_type = Some(match patch_kind {
            PatchKind::Merge => "application/merge-patch+json",
            PatchKind::Json => "application/json-patch+json",
            PatchKind::Apply => "application/apply-patch+yaml",
        });
        self.send(call).await.map(Object::new)
    }

    /// Deletes the object with this uid, in the background. `false` when it was gone already.
    ///
    /// # Errors
    /// When the request fails; a conflict when an object of another uid has taken the name.
    pub async fn delete(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        name: &str,
        uid: &str,
    ) -> Result<bool, ApiError> {
        self.delete_if(kind, namespace, name, json!({"uid": uid})).await
    }

    /// Deletes an object as it was read, in the background. `false` when it was gone already.
    ///
    /// # Errors
    /// When the request fails; a conflict when it is another object, or was changed since it was
    /// read.
    pub async fn delete_unchanged(
        &self,
        kind: &ResourceType,
        object: &Object,
    ) -> Result<bool, ApiError> {
        let preconditions =
            json!({"uid": object.uid(), "resourceVersion": object.resource_version()});
        self.delete_if(kind, object.namespace(), object.name(), preconditions).await
    }

    async fn delete_if(
        &self,
        kind: &ResourceType,
        namespace: Option<&str>,
        name: &str,
        preconditions: Value,
    ) -> Result<bool, ApiError> {
        let options = json!({"kind": "DeleteOptions", "apiVersion": "v1",
            "propagationPolicy": "Background", "preconditions": preconditions});
        let subject = Subject::Object(kind.id(namespace, name));
        let path = kind.path(namespace, name);
        match self.send(Call::write(Verb::Delete, subject, Method::DELETE, path, &options)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns what carries requests; for those that [`Client::send`] cannot read the answer of.
    pub(super) fn http(&self) -> kube::Client {
        self.connection.current().http
    }

    pub(super) fn count(&self, verb: Verb) {
        if let Some(count) = self.counts.get(verb as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) async fn send(&self, call: Call) -> Result<Value, ApiError> {
        Ok(self.exchange(call).await?.value)
    }

    /// As [`Client::send`], with the length of the answer. Boxed, and so compiled here once instead
    /// of in each crate that waits for a request.
    #[inline(never)]
    pub(super) fn exchange(&self, call: Call) -> BoxFuture<'_, Result<Answer, ApiError>> {
        self.exchange_now(call).boxed()
    }

    async fn exchange_now(&self, call: Call) -> Result<Answer, ApiError> {
        let gate = self.gate();
        let sent = match &gate {
            None => self.send_patiently(&call, None).await,
            Some(gate) => tokio::select! {
                biased;
                () = gate.closed() => Err(ApiErrorCause::LockLost),
                sent = self.send_patiently(&call, Some(gate)) => sent,
            },
        };
        sent.map_err(|cause| ApiError {
            cluster: self.name.to_string(),
            endpoint: self.endpoint(),
            verb: call.verb,
            cause: without_values(&call, cause),
            subject: call.subject,
        })
    }

    async fn send_patiently(
        &self,
        call: &Call,
        gate: Option<&Gate>,
    ) -> Result<Answer, ApiErrorCause> {
        let gate = gate.filter(|_| call.is_write());
        let mut attempt = 1;
        let mut has_renewed = false;
        // Without the time before the gate: that is the patience of the lock.
        let mut spent = Duration::ZERO;
        loop {
            if let Some(gate) = gate {
                gate.pass().await.map_err(|_| ApiErrorCause::LockLost)?;
            }
            let begun = Instant::now();
            self.count(call.verb);
            let opened = self.connection.current();
            let (mut cause, retry_after) = match self.attempt(&opened, call, gate).await {
                Ok(answer) => {
                    if call.is_write() {
                        self.pace.answered(begun.elapsed());
                    }
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if matches!(cause, ApiErrorCause::Status { code: 429, .. }) {
                self.pace.refused();
            }
            if is_unauthorized(&cause) && !has_renewed {
                has_renewed = true;
                match self.connection.renew(&opened).await {
                    Ok(()) => continue,
                    Err(error) => cause = error,
                }
            }
            let took = begun.elapsed();
            let is_over = self.retry.is_over(attempt, took, spent + took);
            if is_over || !is_retryable(&cause, call.repeatable) {
                return Err(cause);
            }
            if matches!(cause, ApiErrorCause::Timeout(_)) {
                self.tell_of_wait(call, &cause);
            }
            let pause = self.retry.pause(attempt, retry_after);
            tracing::debug!(cluster = %self.name, verb = %call.verb, subject = %call.subject,
                %cause, ?pause, "trying again");
            tokio::time::sleep(pause).await;
            spent += begun.elapsed();
            attempt += 1;
        }
    }

    fn tell_of_wait(&self, call: &Call, cause: &ApiErrorCause) {
        let events = self.events.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(events) = events {
            events.note(format!(
                "{} {} in the {} cluster: {cause}; trying again",
                call.verb, call.subject, self.name
            ));
        }
    }

    /// Sends a request once. It is given up when the time-out or the time of the gate is over.
    async fn attempt(
        &self,
        opened: &Opened,
        call: &Call,
        gate: Option<&Gate>,
    ) -> Result<Answer, Failure> {
        let request =
            call.request().map_err(|error| (ApiErrorCause::Malformed(error.to_string()), None))?;
        let exchange = async {
            let response =
                opened.http.send(request).await.map_err(|error| (classify(&error), None))?;
            read_answer(response, call.form).await
        };
        let lapsed = async {
            match gate {
                Some(gate) => gate.lapsed().await,
                None => std::future::pending().await,
            }
        };
        let begun = Instant::now();
        tokio::select! {
            // First, so that a request that a suspended machine has prepared is not sent
            // afterwards.
            biased;
            () = lapsed => Err((ApiErrorCause::Timeout(begun.elapsed()), None)),
            exchanged = tokio::time::timeout(self.timeout, exchange) => {
                exchanged.unwrap_or(Err((ApiErrorCause::Timeout(self.timeout), None)))
            }
        }
    }
}

/// Returns whether the API server has not even looked at the request.
fn is_unauthorized(cause: &ApiErrorCause) -> bool {
    matches!(cause, ApiErrorCause::Status { code: 401, .. })
}
