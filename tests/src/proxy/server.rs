//! The proxy itself: one task for each connection.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::http::Response;
use capi::Object;
use cluster::{Client, KubeconfigRef};
use futures::TryStreamExt;
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::call::{Call, Side, one_sided_types};
use super::fault::Fault;
use super::hostile::Hostility;
use super::http::{self, Answer, Request};
use super::timeline::Activity;
use super::traffic::Traffic;
use crate::oracle;
use crate::proxied_pair::cluster_type;

/// Headers that belong to one connection, or that the upstream client sets itself.
const OWN_HEADERS: [&str; 6] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "authorization",
    "accept-encoding",
];

/// A proxy in front of one API server. Dropping it ends it.
pub struct Proxy {
    address: SocketAddr,
    listening: JoinHandle<()>,
}

struct Upstream {
    side: Side,
    client: kube::Client,
    traffic: Traffic,
}

/// Next step for a connection after a request.
enum Next {
    Answer(Answer),
    Stream(Response<Body>),
    Hostile(Hostility, Option<Answer>),
    Close,
    Reset,
}

impl Proxy {
    /// Starts one in front of the API server of an administrator's kubeconfig.
    ///
    /// # Panics
    /// When the kubeconfig cannot be used or no port can be had.
    pub async fn start(side: Side, kubeconfig: &Path, traffic: &Traffic) -> Self {
        let config = KubeconfigRef::file(kubeconfig).load();
        let mut config = config.expect("a usable kubeconfig");
        config.default_retry = false;
        let client = kube::Client::try_from(config).expect("a usable kubeconfig");
        let upstream = Arc::new(Upstream { side, client, traffic: traffic.clone() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let listening = tokio::spawn(listen(listener, upstream));
        Self { address, listening }
    }

    /// Writes a kubeconfig that leads here.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write_kubeconfig(&self, path: PathBuf) -> PathBuf {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: proxy\n\
             clusters: [{{name: proxy, cluster: {{server: \"http://{}\"}}}}]\n\
             users: [{{name: nobody, user: {{}}}}]\n\
             contexts: [{{name: proxy, context: {{cluster: proxy, user: nobody}}}}]\n",
            self.address
        );
        std::fs::write(&path, text).expect("the folder is writable");
        path
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, upstream: Arc<Upstream>) {
    while let Ok((stream, _)) = listener.accept().await {
        let upstream = Arc::clone(&upstream);
        tokio::spawn(async move {
            let mut epoch = upstream.traffic.epoch();
            epoch.mark_unchanged();
            tokio::select! {
                biased;
                _ = epoch.changed() => {}
                // What goes wrong with a connection is the client's to notice.
                _ = serve(stream, &upstream) => {}
            }
        });
    }
}

async fn serve(stream: TcpStream, upstream: &Arc<Upstream>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = http::read(&mut stream).await? {
        match upstream.handle(request).await {
            Next::Answer(answer) => http::write(&mut stream, &answer).await?,
            Next::Stream(response) => return pass_on(&mut stream, response).await,
            Next::Hostile(hostility, honest) => {
                return hostility.answer(stream.get_mut(), honest).await;
            }
            Next::Close => return Ok(()),
            Next::Reset => return stream.get_ref().set_zero_linger(),
        }
    }
    Ok(())
}

impl Upstream {
    async fn handle(self: &Arc<Self>, request: Request) -> Next {
        let call = Call::new(self.side, &request);
        let (index, fault) = self.traffic.arrived(&call);
        tokio::time::sleep(self.traffic.latency()).await;
        match fault {
            Some(Fault::Answer { status, retry_after }) => {
                return Next::Answer(refusal(status, retry_after));
            }
            Some(Fault::LogInPage) => return Next::Answer(log_in_page()),
            Some(Fault::Hostile(hostility)) => {
                let honest = match hostility.is_about_lists() && call.method == "GET" {
                    true => self.forward(request).await,
                    false => None,
                };
                return Next::Hostile(hostility, honest);
            }
            Some(Fault::Reset) => return Next::Reset,
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::HoldBefore) => self.traffic.hold().await,
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::HoldAfter | Fault::LoseAnswer) | None => {}
        }
        if call.is_watch() {
            let response = self.send(request).await;
            return response.map_or(Next::Close, Next::Stream);
        }
        let answer = self.carry_out(call, request, index).await;
        match fault {
            Some(Fault::LoseAnswer) => return Next::Close,
            Some(Fault::HoldAfter) => self.traffic.hold().await,
            _ => {}
        }
        answer.map_or(Next::Close, Next::Answer)
    }

    /// In a task of its own: what has been forwarded is carried out, whatever becomes of the
    /// client.
    async fn carry_out(
        self: &Arc<Self>,
        call: Call,
        request: Request,
        index: Option<usize>,
    ) -> Option<Answer> {
        let this = Arc::clone(self);
        let forwarding = self.traffic.forwarding();
        let task = tokio::spawn(async move {
            let answer = this.forward_in_turn(&call, request).await;
            if let Some(answer) = &answer {
                this.traffic.answered(index, answer.status);
            }
            drop(forwarding);
            answer
        });
        task.await.ok().flatten()
    }

    async fn forward_in_turn(&self, call: &Call, request: Request) -> Option<Answer> {
        if !call.is_write() {
            return self.forward(request).await;
        }
        if call.writes_whole_copy() && !oracle::is_inert(&call.body) {
            self.traffic.note_born_active(self.side, &call.path);
        }
        let Some(path) = call.one_sided() else {
            let answer = self.forward(request).await;
            self.judge_deletion(answer.as_ref()).await;
            return answer;
        };
        let _turn = self.traffic.one_sided_turn().await;
        let answer = self.forward(request).await;
        if let Some(state) = self.look_at(&path).await {
            self.traffic.note(self.side, path, state);
        }
        self.judge_deletion(answer.as_ref()).await;
        answer
    }

    /// Notes whether controllers would carry out a deletion, by the object that a write has left:
    /// that is in the answer.
    async fn judge_deletion(&self, answer: Option<&Answer>) {
        let Some(answer) = answer.filter(|answer| answer.status < 300) else { return };
        let Ok(object) = serde_json::from_slice::<Value>(&answer.body) else { return };
        let metadata = &object["metadata"];
        let Some(uid) = metadata["uid"].as_str() else { return };
        if self.traffic.is_deleted_by_others(uid) {
            return;
        }
        let victim = format!("{} {} ({uid})", object["kind"], metadata["name"]);
        if oracle::is_deletion_shown(&object) {
            self.traffic.note_deletion_shown(self.side, &victim);
        }
        let cluster = oracle::cluster_of(&object).filter(|_| oracle::is_being_torn_down(&object));
        let Some((namespace, name)) = cluster else {
            return self.traffic.note_spared(self.side, &victim);
        };
        let cluster = cluster_type().path(Some(namespace), name);
        let state = self.look_at(&cluster).await.unwrap_or_default();
        self.traffic.note_torn_down(self.side, victim, cluster, state);
    }

    /// The answer of the API server, still open; `None` when it cannot be reached.
    async fn send(&self, request: Request) -> Option<Response<Body>> {
        let mut forwarded =
            ::http::Request::builder().method(&*request.method).uri(&request.target);
        for (name, value) in request.headers {
            if !OWN_HEADERS.contains(&name.as_str()) {
                forwarded = forwarded.header(name, value);
            }
        }
        let forwarded = forwarded.body(Body::from(request.body)).ok()?;
        self.client.send(forwarded).await.ok()
    }

    /// The answer of the API server; `None` when it cannot be reached.
    async fn forward(&self, request: Request) -> Option<Answer> {
        let response = self.send(request).await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter(|(name, _)| !OWN_HEADERS.contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = response.into_body().collect_bytes().await.ok()?.to_vec();
        Some(Answer { status, headers, body })
    }

    /// Returns an object as it is now; `None` when the API server cannot be reached.
    async fn look_at(&self, path: &str) -> Option<Activity> {
        let (method, target) = ("GET".to_owned(), path.to_owned());
        let request = Request { method, target, headers: Vec::new(), body: Vec::new() };
        let answer = self.forward(request).await?;
        match answer.status {
            200 => Some(state_of(&serde_json::from_slice(&answer.body).ok()?)),
            404 => Some(Activity::Absent),
            _ => None,
        }
    }
}

/// Passes a stream on as it comes, until either side ends it.
async fn pass_on(stream: &mut BufReader<TcpStream>, response: Response<Body>) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {} -\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n",
        response.status().as_u16()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await?;
    let mut frames = std::pin::pin!(response.into_body().into_data_stream());
    while let Some(bytes) = frames.try_next().await.map_err(io::Error::other)? {
        stream.write_all(&bytes).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Objects of a cluster that may be active on one side only.
///
/// # Panics
/// When a list fails.
pub async fn one_sided(
    side: Side,
    client: &Client,
    namespace: Option<&str>,
) -> Vec<(Side, String, Activity)> {
    let mut found = Vec::new();
    for kind in one_sided_types() {
        let listed = match client.list(&kind, namespace).await {
            Err(error) if error.is_not_found() => continue,
            listed => listed.unwrap_or_else(|error| panic!("{error}")),
        };
        let path = |object: &Object| kind.path(object.namespace(), object.name());
        found.extend(listed.iter().map(|object| (side, path(object), state_of(object.value()))));
    }
    found
}

/// Kinds of an object that was read.
fn state_of(object: &Value) -> Activity {
    if oracle::is_active(object) { Activity::Active } else { Activity::Paused }
}

fn refusal(status: u16, retry_after: Option<u32>) -> Answer {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
    let body = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": status,
        "message": "made by the fault proxy", "reason": ""});
    Answer { status, headers, body: body.to_string().into_bytes() }
}

fn log_in_page() -> Answer {
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    let page = "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body></body></html>\n";
    Answer { status: 200, headers, body: page.into() }
}
