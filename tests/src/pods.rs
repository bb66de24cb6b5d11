//! Managers that are processes as pods: plays the kubelet, the Deployment controller and the
//! scheduler for them.
//!
//! A pod stands for a process. When somebody deletes the pod, the process is asked to end, as a
//! kubelet does it; once it is gone the pod is, too, and a new process is started for a new pod,
//! which is ready when its webhooks answer. The pods are on the network of the host, so they are
//! called as the host is: this name is in the Leases of the managers. One that reads its namespace
//! as in a pod needs Linux, `unshare`, and the right to make a mount namespace.

use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef, PatchKind, WriteOptions};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The time that a manager has to end, and to start.
const PATIENCE: Duration = Duration::from_secs(120);
const INTERVAL: Duration = Duration::from_millis(100);

/// Mounts of its own, and the rights to make them where the user is not root.
const NAMESPACES: [&str; 2] = ["--mount", "--map-root-user"];

/// Managers read their namespace where it is in a pod, and cannot be told it otherwise.
const AS_POD: &str = r#"
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
printf %s "$POD_NAMESPACE" > /run/secrets/kubernetes.io/serviceaccount/namespace
exec "$0" "$@"
"#;

/// A manager that runs as a pod until it is dropped.
pub struct PodOfManager {
    task: JoinHandle<()>,
    pid: watch::Receiver<u32>,
    place: Arc<Place>,
    deployment: String,
}

/// The start of a manager.
#[derive(Clone)]
pub struct Recipe {
    /// The program.
    pub program: PathBuf,
    /// Arguments, `--webhook-port=PORT` among them.
    pub args: Vec<String>,
    /// Environment: `POD_NAMESPACE`, and in `POD_NAME` the name of its Deployment.
    pub environment: Vec<(String, String)>,
    /// Set if it reads its namespace from the file that a pod has for that: it gets mounts of its
    /// own then.
    pub reads_its_namespace: bool,
    /// The file for its output.
    pub log: PathBuf,
}

impl PodOfManager {
    /// Takes a process over: ends it, and starts it again with these flags more, as a pod of a
    /// Deployment.
    ///
    /// # Panics
    /// When the process does not run, or the cluster refuses.
    pub async fn adopt(kubeconfig: &Path, pid: u32, log: &Path, flags: &[&str]) -> Self {
        let recipe = Recipe::of(pid, log, flags);
        terminate(pid).await;
        while is_alive(pid) {
            tokio::time::sleep(INTERVAL).await;
        }
        Self::run(kubeconfig, recipe).await
    }

    /// Starts a program as a pod of a Deployment.
    ///
    /// # Panics
    /// When the cluster refuses.
    pub async fn run(kubeconfig: &Path, recipe: Recipe) -> Self {
        let client = Client::connect("pods", &KubeconfigRef::file(kubeconfig)).await;
        let client = client.expect("a usable kubeconfig");
        let config = KubeconfigRef::file(kubeconfig).load().expect("a usable kubeconfig");
        let deleting = kube::Client::try_from(config).expect("a usable kubeconfig");
        let namespace = recipe.variable("POD_NAMESPACE");
        let place = Arc::new(Place { namespace, client, deleting });
        let deployment = recipe.deployment();
        place.create_deployment(&recipe).await;
        let mut child = recipe.start();
        let (sender, pid) = watch::channel(child.0.id());
        place.create_pod(&recipe).await;
        let here = Arc::clone(&place);
        let task = tokio::spawn(async move {
            let place = here;
            loop {
                tokio::time::sleep(INTERVAL).await;
                if place.is_pod_deleted().await {
                    terminate(child.0.id()).await;
                    child.wait().await;
                    place.confirm_deletion().await;
                    child = recipe.start();
                    sender.send_replace(child.0.id());
                    place.create_pod(&recipe).await;
                }
            }
        });
        Self { task, pid, place, deployment }
    }

    /// Ends the process, and removes its pod and Deployment.
    ///
    /// # Panics
    /// When the cluster refuses.
    pub async fn remove(mut self) {
        self.task.abort();
        // It was aborted.
        let _ = (&mut self.task).await;
        let kind = deployments();
        let place = (Some(&*self.place.namespace), &*self.deployment);
        let found = self.place.client.get(&kind, place.0, place.1).await.expect("can be read");
        let uid = found.expect("it was created").uid().to_owned();
        let deleted = self.place.client.delete(&kind, place.0, place.1, &uid).await;
        deleted.expect("the Deployment can be deleted");
        self.place.confirm_deletion().await;
    }

    /// The process that runs now.
    #[must_use]
    pub fn pid(&self) -> u32 {
        *self.pid.borrow()
    }
}

impl Drop for PodOfManager {
    fn drop(&mut self) {
        // The child is dropped with the task, and ends.
        self.task.abort();
    }
}

/// A process that ends when it is dropped.
struct Running(Child);

impl Running {
    /// Waits until it has ended by itself.
    async fn wait(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !matches!(self.0.try_wait(), Ok(Some(_))) {
            assert!(Instant::now() < deadline, "process {} does not end", self.0.id());
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Recipe {
    /// Reads how a process was started.
    fn of(pid: u32, log: &Path, flags: &[&str]) -> Self {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            let parts = bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty());
            parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>()
        };
        let mut args = read("cmdline");
        let program = PathBuf::from(args.remove(0));
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let environment = read("environ").into_iter();
        let environment = environment.filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        Self {
            program,
            args,
            environment: environment.collect(),
            reads_its_namespace: true,
            log: log.to_owned(),
        }
    }

    fn start(&self) -> Running {
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(&self.log)
            .expect("it has a log");
        let again = log.try_clone().expect("a file can be cloned");
        let mut command = Command::new(&self.program);
        if self.reads_its_namespace {
            // No new process: the id is that of the manager.
            command = Command::new("unshare");
            command.args(NAMESPACES).args(["sh", "-c", AS_POD]).arg(&self.program);
        }
        command.args(&self.args);
        command.env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(log).stderr(again);
        Running(command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.program)))
    }

    /// The end of what it has written.
    fn last_output(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(12).collect();
        format!("{:?} {:?}\n{}", self.program, self.args, lines.join("\n"))
    }

    fn variable(&self, name: &str) -> String {
        let found = self.environment.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name} is not set")).1.clone()
    }

    /// The name of the Deployment in released manifests, which its environment tells.
    fn deployment(&self) -> String {
        self.variable("POD_NAME")
    }

    fn port(&self) -> u16 {
        let mut flags = self.args.iter().filter_map(|arg| arg.strip_prefix("--webhook-port="));
        flags.next().expect("it has webhooks").parse().expect("a port")
    }
}

/// The namespace of a manager.
struct Place {
    client: Client,
    /// For deletions without a time of grace.
    deleting: kube::Client,
    namespace: String,
}

impl Place {
    async fn create_deployment(&self, recipe: &Recipe) {
        let labels = json!({"app": recipe.deployment()});
        let container =
            json!({"name": "manager", "image": "images.invalid/manager", "args": recipe.args});
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": recipe.deployment(), "namespace": self.namespace,
                "labels": {"clusterctl.cluster.x-k8s.io": "",
                    "cluster.x-k8s.io/provider": self.namespace}},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [container]}}}});
        self.create(&deployments(), deployment).await;
    }

    /// Creates the pod of a process, and reports it ready once the process answers.
    async fn create_pod(&self, recipe: &Recipe) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": host(),
            "namespace": self.namespace, "labels": {"app": recipe.deployment()}},
            "spec": {"nodeName": "this-machine", "hostNetwork": true,
                "containers": [{"name": "manager", "image": "images.invalid/manager",
                    "args": recipe.args}]}});
        self.create(&pods(), pod).await;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, recipe.port())).is_err() {
            assert!(Instant::now() < deadline, "no answer: {}", recipe.last_output());
            tokio::time::sleep(INTERVAL).await;
        }
        let status = json!({"status": {"phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}]}});
        let options = WriteOptions::default().status();
        let (place, patch) = ((Some(&*self.namespace), &*host()), (PatchKind::Merge, &status));
        // Somebody may have deleted it already.
        let _ = self.client.patch(&pods(), place, patch, &options).await;
    }

    async fn create(&self, kind: &ResourceType, object: Value) {
        let created =
            self.client.create(kind, &Object::new(object), &WriteOptions::default()).await;
        created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
    }

    async fn is_pod_deleted(&self) -> bool {
        let pod = self.client.get(&pods(), Some(&self.namespace), &host()).await;
        pod.is_ok_and(|pod| pod.is_some_and(|pod| pod.is_being_deleted()))
    }

    /// Ends the pod, as a kubelet does when no process of it is left.
    async fn confirm_deletion(&self) {
        let path = pods().path(Some(&self.namespace), &host());
        let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0});
        let request = http::Request::delete(path).header("content-type", "application/json");
        let request = request.body(options.to_string().into_bytes()).expect("a valid request");
        self.deleting.request_text(request).await.expect("the pod can be deleted");
    }
}

fn deployments() -> ResourceType {
    ResourceType::new("apps/v1", "Deployment", "deployments", true)
}

fn pods() -> ResourceType {
    ResourceType::core("Pod", "pods")
}

/// The name of this machine.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("this is Linux");
    name.trim().to_owned()
}

fn is_alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

async fn terminate(pid: u32) {
    let sent = Command::new("kill").args(["-s", "TERM", &pid.to_string()]).status();
    assert!(sent.expect("`kill` must be installed for these tests").success(), "{pid} is gone");
}
