//! Watching a collection: what is there now, and then every change of it.
//!
//! Only the stream of one watch is here. The caller decides what to do when it ends.

use std::time::Duration;

use capi::{Object, ResourceType, at};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{Request, header};
use kube::client::Body;
use kube::core::WatchEvent;
use serde_json::Value;
use support::visible;

use super::answer::{Form, read_answer};
use super::call::JSON;
use super::client::Client;
use super::error::{ApiError, ApiErrorCause, Subject, Verb, classify};
use super::events::events;
use super::list::Selection;

/// After so many seconds the API server ends a watch in good order.
const SERVER_ENDS: u64 = 60;

/// After so long without the end that the API server has promised, the connection counts as dead.
const WATCH_TIMEOUT: Duration = Duration::from_secs(SERVER_ENDS + 10);

/// A collection to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Kind of the objects.
    pub kind: ResourceType,
    /// Their namespace; `None` for all.
    pub namespace: Option<String>,
    /// Name of the only one.
    pub name: Option<String>,
    /// Label selector, in the notation of kubectl.
    pub labels: Option<String>,
}

/// A change in a collection.
#[derive(Clone, Debug)]
pub enum Change {
    /// This object is there, new or changed.
    There(Object),
    /// This object is gone, or not selected any more.
    Gone(Object),
    /// Nothing changed up to this resource version.
    Bookmark(String),
}

/// The changes of a collection, until the watch ends.
pub type Changes = BoxStream<'static, Result<Change, ApiError>>;

impl Client {
    /// Lists what is watched, with the resource version to watch from.
    ///
    /// # Errors
    /// As [`Client::list`].
    pub async fn list_watched(&self, watched: &Watched) -> Result<(Vec<Object>, String), ApiError> {
        let fields = watched.fields();
        self.list_at(&watched.kind, watched.namespace.as_deref(), watched.selection(&fields)).await
    }

    /// Begins to watch, from a resource version on. The stream ends after a minute, or with an
    /// error.
    ///
    /// # Errors
    /// When the request fails; it is not tried again, also not with new credentials. The resource
    /// version may be too old by now: see [`ApiError::is_expired`], here and in the stream.
    pub async fn watch(
        &self,
        watched: &Watched,
        resource_version: &str,
    ) -> Result<Changes, ApiError> {
        let (cluster, subject) = (self.name().to_owned(), watched.kind.to_string());
        let endpoint = self.endpoint();
        let failed = move |cause| ApiError {
            cluster: cluster.clone(),
            endpoint: endpoint.clone(),
            verb: Verb::Watch,
            subject: Subject::Collection(subject.clone()),
            cause,
        };
        let uri = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={SERVER_ENDS}\
             &resourceVersion={resource_version}{}",
            watched.kind.collection(watched.namespace.as_deref()),
            watched.selection(&watched.fields()).query(),
        );
        let request = Request::get(uri).header(header::ACCEPT, JSON).body(Body::empty());
        let request =
            request.map_err(|error| failed(ApiErrorCause::Malformed(error.to_string())))?;
        self.count(Verb::Watch);
        let http = self.http();
        let begun = async {
            let response = http.send(request).await.map_err(|error| classify(&error))?;
            if response.status().is_success() {
                return Ok(events(response.into_body()));
            }
            let refused = read_answer(response, Form::Json).await;
            Err(refused.err().map_or_else(no_success, |(cause, _)| cause))
        };
        let events = match tokio::time::timeout(WATCH_TIMEOUT, begun).await {
            Ok(events) => events.map_err(&failed)?,
            Err(_) => return Err(failed(ApiErrorCause::Timeout(WATCH_TIMEOUT))),
        };
        let kind = watched.kind.clone();
        let changes =
            events.map(move |event| event.and_then(|event| change(event, &kind)).map_err(&failed));
        Ok(changes.take_until(tokio::time::sleep(WATCH_TIMEOUT)).boxed())
    }
}

impl Watched {
    fn fields(&self) -> String {
        self.name.as_ref().map(|name| format!("metadata.name={name}")).unwrap_or_default()
    }

    fn selection<'a>(&'a self, fields: &'a str) -> Selection<'a> {
        let labels = self.labels.as_deref().unwrap_or_default();
        Selection { labels, fields, ..Selection::default() }
    }
}

fn change(event: WatchEvent<Value>, kind: &ResourceType) -> Result<Change, ApiErrorCause> {
    let typed = |value| {
        let mut object = Object::new(value);
        object.set_type(&kind.api_version(), &kind.kind);
        object
    };
    match event {
        WatchEvent::Added(value) | WatchEvent::Modified(value) | WatchEvent::Deleted(value)
            if !at(&value, "/metadata").is_object() =>
        {
            Err(ApiErrorCause::Malformed("an event of a watch has no object".to_owned()))
        }
        WatchEvent::Added(value) | WatchEvent::Modified(value) => Ok(Change::There(typed(value))),
        WatchEvent::Deleted(value) => Ok(Change::Gone(typed(value))),
        WatchEvent::Bookmark(mark) => Ok(Change::Bookmark(mark.metadata.resource_version)),
        WatchEvent::Error(status) => Err(ApiErrorCause::Status {
            code: status.code,
            reason: visible::one_line(&status.reason),
            message: visible::lines(&status.message),
        }),
    }
}

/// An answer that is neither a success nor an error, such as a redirection.
fn no_success() -> ApiErrorCause {
    ApiErrorCause::Malformed("it is neither a stream of events nor an error".to_owned())
}
