//! The HTTP side of the relay: takes requests, passes them on to the cluster of the moment.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster::{ConnectError, KubeconfigRef, make_client};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::serve::RelayError;
use super::versions::{Scanner, Versions};

/// Headers that belong to one connection, or that the client of the cluster sets itself.
const OWN_HEADERS: [http::HeaderName; 6] =
    [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, AUTHORIZATION, ACCEPT_ENCODING];

type Answer = Response<UnsyncBoxBody<Bytes, kube::Error>>;

/// The clusters, and which of them requests go to.
pub(super) struct Relay {
    clusters: Vec<kube::Client>,
    prefix: String,
    current: watch::Sender<usize>,
    versions: Arc<Mutex<Versions>>,
}

impl Relay {
    /// A relay to the first of these clusters.
    pub(super) async fn new(kubeconfigs: &[PathBuf]) -> Result<Self, RelayError> {
        let mut clusters = Vec::new();
        for path in kubeconfigs {
            let cluster = path.display().to_string();
            let config = KubeconfigRef::file(path).load();
            let mut config = config
                .map_err(|source| ConnectError::Kubeconfig { cluster: cluster.clone(), source })?;
            config.default_retry = false;
            let client = make_client(config).await;
            clusters.push(client.map_err(|problem| ConnectError::Setup { cluster, problem })?);
        }
        let prefix = format!("/{:032x}", rand::random::<u128>());
        let versions = Arc::default();
        Ok(Self { clusters, prefix, current: watch::Sender::new(0), versions })
    }

    /// Begins the path of every request; a caller that does not know it is not let in.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The index of the cluster that requests go to.
    pub(super) fn current(&self) -> usize {
        *self.current.borrow()
    }

    /// Leads to another cluster from now on, and cuts all connections.
    pub(super) fn turn_to(&self, cluster: usize) {
        self.versions().turn();
        self.current.send_replace(cluster);
    }

    /// Takes connections until the process ends.
    pub(super) async fn listen(self: Arc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&self).serve(stream));
                }
                // Out of file descriptors, for example; those of others will be given back.
                Err(error) => {
                    tracing::info!("cannot accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut turned = self.current.subscribe();
        let service =
            service_fn(|request| async { Ok::<_, kube::Error>(self.answer(request).await) });
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            _ = turned.changed() => {}
            // What goes wrong with a connection is the client's to notice.
            _ = serving => {}
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (era, cluster) = {
            let versions = self.versions();
            (versions.era(), self.clusters[self.current()].clone())
        };
        let (head, body) = request.into_parts();
        let Some(uri) = self.stripped(&head.uri) else {
            return refusal(StatusCode::FORBIDDEN, "Forbidden", "this is not for you");
        };
        let reads = head.method == Method::GET;
        if reads && self.versions().is_stale(uri.query().unwrap_or_default()) {
            return refusal(StatusCode::GONE, "Expired", "the relay leads to another cluster now");
        }
        let Ok(body) = body.collect().await else {
            return refusal(StatusCode::BAD_REQUEST, "BadRequest", "the request is cut off");
        };
        let mut passed_on = Request::new(Body::from(body.to_bytes()));
        *passed_on.method_mut() = head.method;
        *passed_on.uri_mut() = uri;
        *passed_on.headers_mut() = readable(head.headers);
        match cluster.send(passed_on).await {
            Ok(answer) => self.noting(answer, era),
            Err(error) => {
                tracing::info!("no answer: {error}");
                refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "no answer")
            }
        }
    }

    /// Without the prefix; `None` if it is not there.
    fn stripped(&self, uri: &Uri) -> Option<Uri> {
        uri.path_and_query()?.as_str().strip_prefix(&self.prefix)?.parse().ok()
    }

    /// Notes the resource versions in an answer as it passes.
    fn noting(&self, answer: Response<Body>, era: u64) -> Answer {
        let versions = Arc::clone(&self.versions);
        let mut scanner = Scanner::default();
        let (mut head, body) = answer.into_parts();
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        let body = body.map_frame(move |frame| {
            if let Some(piece) = frame.data_ref() {
                locked(&versions).give(era, scanner.scan(piece));
            }
            frame
        });
        Response::from_parts(head, body.boxed_unsync())
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        locked(&self.versions)
    }
}

fn locked(versions: &Mutex<Versions>) -> MutexGuard<'_, Versions> {
    versions.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The headers to pass on. Answers are asked for as JSON, where resource versions can be found.
fn readable(mut headers: HeaderMap) -> HeaderMap {
    for name in OWN_HEADERS {
        headers.remove(name);
    }
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let json =
        accept.map(|text| text.replace("application/vnd.kubernetes.protobuf", "application/json"));
    if let Some(Ok(json)) = json.map(|text| HeaderValue::from_str(&text)) {
        headers.insert(ACCEPT, json);
    }
    headers
}

fn refusal(code: StatusCode, reason: &str, message: &str) -> Answer {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code.as_u16(), "reason": reason, "message": message});
    let body = Full::from(status.to_string()).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed_unsync());
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
