//! An admission webhook that looks for the parent of what is created, as that of AzureMachinePools
//! does: a DockerMachine is denied as long as the Machine that it names as its owner is not there.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use serde_json::{Value, json};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::population::shapes::{CORE, DOCKER};
use crate::proxy::http::{Answer, read, write};
use crate::tls;

const NAME: &str = "parents.example.com";

/// Answers until it is dropped.
pub struct ParentWebhook {
    task: JoinHandle<()>,
    denied: Arc<AtomicUsize>,
    client: Client,
}

impl ParentWebhook {
    /// Starts it for one namespace of a cluster and for `default`, where moves rehearse, and waits
    /// until it is in force.
    ///
    /// # Panics
    /// When it cannot listen, or the cluster refuses.
    pub async fn install(client: &Client, namespace: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let (acceptor, certificate) = tls::on_loopback();
        let denied = Arc::new(AtomicUsize::new(0));
        let serving = serve(listener, acceptor, (client.clone(), Arc::clone(&denied)));
        let task = tokio::spawn(serving);
        let webhook = json!({"apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration", "metadata": {"name": NAME},
            "webhooks": [{"name": NAME, "sideEffects": "None", "failurePolicy": "Fail",
                "admissionReviewVersions": ["v1"], "timeoutSeconds": 10,
                "clientConfig": {"url": format!("https://127.0.0.1:{port}/"),
                    "caBundle": STANDARD.encode(certificate)},
                "namespaceSelector": {"matchExpressions": [{"operator": "In",
                    "key": "kubernetes.io/metadata.name", "values": [namespace, "default"]}]},
                "rules": [{"apiGroups": ["infrastructure.cluster.x-k8s.io"],
                    "apiVersions": ["*"], "operations": ["CREATE"],
                    "resources": ["dockermachines"]}]}]});
        let created =
            client.create(&configurations(), &Object::new(webhook), &WriteOptions::default()).await;
        created.expect("webhooks can be made");
        let webhook = Self { task, denied, client: client.clone() };
        webhook.wait().await;
        webhook
    }

    /// Removes it. Returns how often it has denied something.
    ///
    /// # Panics
    /// When it cannot be removed.
    pub async fn remove(self) -> usize {
        let found = self.client.get(&configurations(), None, NAME).await.expect("can be read");
        let uid = found.expect("it was made").uid().to_owned();
        let deleted = self.client.delete(&configurations(), None, NAME, &uid).await;
        deleted.expect("it can be deleted");
        self.task.abort();
        self.denied.load(Ordering::Relaxed)
    }

    async fn wait(&self) {
        let canary = json!({"apiVersion": DOCKER, "kind": "DockerMachine", "spec": {},
            "metadata": {"name": "canary", "namespace": "default"}});
        let (kind, canary) = (machines(DOCKER, "DockerMachine"), Object::new(canary));
        for _ in 0..600 {
            if self.client.create(&kind, &canary, &WriteOptions::dry_run()).await.is_err() {
                return self.denied.store(0, Ordering::Relaxed);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the webhook does not come into force");
    }
}

fn configurations() -> ResourceType {
    ResourceType::new(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        false,
    )
}

fn machines(api_version: &str, kind: &str) -> ResourceType {
    ResourceType::new(api_version, kind, &format!("{}s", kind.to_lowercase()), true)
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    (client, denied): (Client, Arc<AtomicUsize>),
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, client, denied) = (acceptor.clone(), client.clone(), Arc::clone(&denied));
        tokio::spawn(async move {
            // A broken connection is the API server's to notice.
            let _ = answer(stream, &acceptor, (&client, &denied)).await;
        });
    }
}

async fn answer(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    (client, denied): (&Client, &AtomicUsize),
) -> io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    while let Some(request) = read(&mut stream).await? {
        let review: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let is_allowed = has_parent(client, &review["request"]).await;
        denied.fetch_add(usize::from(!is_allowed), Ordering::Relaxed);
        let response = json!({"uid": review["request"]["uid"], "allowed": is_allowed,
            "status": {"message": "its Machine is not there"}});
        let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "response": response});
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let answer = Answer { status: 200, headers, body: body.to_string().into_bytes() };
        write(&mut stream, &answer).await?;
    }
    Ok(())
}

async fn has_parent(client: &Client, request: &Value) -> bool {
    let owners = request["object"]["metadata"]["ownerReferences"].as_array();
    let owner = owners.into_iter().flatten().find(|owner| owner["kind"] == "Machine");
    let Some(name) = owner.and_then(|owner| owner["name"].as_str()) else { return false };
    let namespace = request["namespace"].as_str();
    let found = client.get(&machines(CORE, "Machine"), namespace, name).await;
    found.is_ok_and(|found| found.is_some())
}
