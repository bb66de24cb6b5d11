//! Stands in for a kubelet as far as an API server asks one for the log of a container.

use std::io;
use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls;

const NODE: &str = "stand-in";

/// Answers until it is dropped.
pub struct Kubelet {
    task: JoinHandle<()>,
    port: u16,
}

impl Kubelet {
    /// Begins, with what every container has logged.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn begin(log: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        // API servers do not ask for the authority of a kubelet unless they are told to.
        let (acceptor, _) = tls::on_loopback();
        let task = tokio::spawn(serve(listener, acceptor, log.into()));
        Self { task, port }
    }

    /// Joins a cluster, and runs a pod there that is not ready.
    ///
    /// # Panics
    /// When the cluster refuses.
    pub async fn run(&self, cluster: &Client, namespace: &str, name: &str) {
        let options = WriteOptions::default();
        let nodes = ResourceType::new("v1", "Node", "nodes", false);
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE},
            "status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
        }});
        cluster.create(&nodes, &Object::new(node), &options).await.expect("nodes can be made");
        let pods = ResourceType::core("Pod", "pods");
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"nodeName": NODE, "containers": [{"name": "manager",
                "image": "images.invalid/it"}]}});
        cluster.create(&pods, &Object::new(pod), &options).await.expect("pods can be made");
        let status = json!({"status": {"phase": "Running", "containerStatuses": [{
            "name": "manager", "image": "images.invalid/it", "imageID": "", "ready": false,
            "restartCount": 3, "state": {"running": {}},
        }]}});
        let patch = (PatchKind::Merge, &status);
        let options = options.status();
        let patched = cluster.patch(&pods, (Some(namespace), name), patch, &options).await;
        patched.expect("pods have a status");
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, log: Arc<str>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
        tokio::spawn(async move {
            // A broken connection is the API server's to notice.
            let _ = answer(stream, &acceptor, &log).await;
        });
    }
}

async fn answer(stream: TcpStream, acceptor: &TlsAcceptor, log: &str) -> io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    let body =
        if first.starts_with("GET /containerLogs/") { tail(log, &first) } else { String::new() };
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await?;
    stream.shutdown().await
}

/// As many of the last lines as are wanted.
fn tail(log: &str, request: &str) -> String {
    let wanted = request.split("tailLines=").nth(1).unwrap_or_default();
    let digits: String = wanted.chars().take_while(char::is_ascii_digit).collect();
    let count = digits.parse().unwrap_or(usize::MAX);
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(count);
    lines[from..].iter().map(|line| format!("{line}\n")).collect()
}
