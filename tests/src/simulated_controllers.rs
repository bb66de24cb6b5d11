//! Stands in for kubelets and controllers: what they would write, and nothing that they would
//! decide.
//!
//! Deployments become available. The objects of a Cluster that is not paused get their owner, the
//! Machines that its replicas ask for appear with Nodes, and the Cluster becomes Available.
//! Everything else of these clusters is real: API servers, CRDs, clusterctl, the move.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{ApiError, Client, KubeconfigRef, PatchKind, Served, WriteOptions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::oracle;

const NAME: &str = "simulated-controllers";
const TIME: &str = "2026-01-01T00:00:00Z";

/// The host at which nodes reach the API server of a Cluster.
pub const ENDPOINT: &str = "172.18.0.3";

/// Pause between two rounds.
const PAUSE: Duration = Duration::from_millis(500);

/// The kinds that a Cluster gets as dependents.
const OWNED: [(&str, &str); 5] = [
    ("infrastructure.cluster.x-k8s.io", "DevCluster"),
    ("infrastructure.cluster.x-k8s.io", "DevMachineTemplate"),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
    ("bootstrap.cluster.x-k8s.io", "KubeadmConfigTemplate"),
    ("cluster.x-k8s.io", "MachineDeployment"),
];

/// Works on its clusters until it is dropped.
pub struct SimulatedControllers {
    task: JoinHandle<()>,
}

/// The behaviour.
#[derive(Clone, Debug)]
pub struct Part {
    /// Kubeconfigs of clusters, which need not exist yet.
    pub clusters: Vec<PathBuf>,
    /// Cluster that the Secret of each Cluster leads to, unless `secret` is another kubeconfig.
    pub target: PathBuf,
    /// The kubeconfig in the Secret of each Cluster, if the target is not to be reached with it.
    pub secret: Option<PathBuf>,
    /// Kinds that it leaves out.
    pub without: Vec<Behaviour>,
    /// Clusters get a finalizer, and go once it has deleted their Machines.
    pub deletes: bool,
}

/// The finalizer of Cluster API's controller of Clusters.
const FINALIZER: &str = "cluster.cluster.x-k8s.io";

/// A part of what it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Deployments become available.
    Deployments,
    /// Everything about Clusters: others do it.
    Clusters,
    /// Control planes become initialised.
    ControlPlane,
    /// Machines get Nodes.
    Nodes,
    /// Clusters become Available.
    Available,
    /// The infrastructure of Clusters is provisioned.
    Infrastructure,
    /// Machines are Ready nodes in the target, too.
    TargetNodes,
    /// Clusters that are being deleted go.
    Deletions,
}

impl Part {
    fn has(&self, behaviour: Behaviour) -> bool {
        !self.without.contains(&behaviour)
    }
}

impl SimulatedControllers {
    /// Begins.
    pub fn begin(part: Part) -> Self {
        let part = Arc::new(part);
        let task = tokio::spawn(async move {
            let mut seats: Vec<Option<Seat>> = part.clusters.iter().map(|_| None).collect();
            loop {
                for (kubeconfig, seat) in part.clusters.iter().zip(&mut seats) {
                    // A cluster that is coming up or going away is looked at again later.
                    if play(&part, kubeconfig, seat).await.is_err() {
                        *seat = None;
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { task }
    }
}

impl Drop for SimulatedControllers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A place from which a cluster is seen, kept from round to round: connections and discovery cost
/// more than all the rest.
struct Seat {
    kubeconfig: Vec<u8>,
    client: Client,
    served: Option<Served>,
}

impl Seat {
    async fn at(kubeconfig: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let content = std::fs::read(kubeconfig)?;
        let client = Client::connect("stage", &KubeconfigRef::file(kubeconfig)).await?;
        let client = client.with_retry(cluster::RetryPolicy::brief());
        Ok(Self { kubeconfig: content, client, served: None })
    }

    /// Returns whether the file leads to the same cluster as before.
    fn is_still(&self, kubeconfig: &Path) -> bool {
        std::fs::read(kubeconfig).is_ok_and(|content| content == self.kubeconfig)
    }
}

async fn play(
    part: &Part,
    kubeconfig: &Path,
    kept: &mut Option<Seat>,
) -> Result<(), Box<dyn std::error::Error>> {
    if !kubeconfig.exists() {
        *kept = None;
        return Ok(());
    }
    if kept.as_ref().is_none_or(|seat| !seat.is_still(kubeconfig)) {
        *kept = Some(Seat::at(kubeconfig).await?);
    }
    let Some(seat) = kept else { return Ok(()) };
    if part.has(Behaviour::Deployments) {
        deployments(&seat.client).await?;
    }
    if !part.has(Behaviour::Clusters) {
        return Ok(());
    }
    if seat.served.as_ref().is_none_or(|served| OWNED.iter().any(|kind| !is_served(served, *kind)))
    {
        seat.served = Some(Served::read(&seat.client).await?);
    }
    let Some(served) = &seat.served else { return Ok(()) };
    let Some(kind) = served.versions("cluster.x-k8s.io", "Cluster").first() else { return Ok(()) };
    for cluster in seat.client.list(kind, None).await? {
        if !oracle::is_active(cluster.value()) {
            continue;
        }
        if !cluster.is_being_deleted() {
            provision(part, &seat.client, served, kind, &cluster).await?;
        } else if part.has(Behaviour::Deletions) {
            delete(&seat.client, served, kind, &cluster).await?;
        }
    }
    Ok(())
}

/// Machines first, then what holds the Cluster.
async fn delete(
    client: &Client,
    served: &Served,
    kind: &ResourceType,
    cluster: &Object,
) -> Result<(), ApiError> {
    let Some(machine) = served.versions("cluster.x-k8s.io", "Machine").first() else {
        return Ok(());
    };
    let machines = client.list(machine, cluster.namespace()).await?;
    for object in &machines {
        client.delete(machine, object.namespace(), object.name(), object.uid()).await?;
    }
    if machines.is_empty() {
        set_finalizers(client, kind, cluster, &json!(null)).await?;
    }
    Ok(())
}

async fn set_finalizers(
    client: &Client,
    kind: &ResourceType,
    cluster: &Object,
    finalizers: &Value,
) -> Result<(), ApiError> {
    let patch = json!({"metadata": {"finalizers": finalizers, "uid": cluster.uid()}});
    let name = (cluster.namespace(), cluster.name());
    let options = WriteOptions::manager(NAME);
    client.patch(kind, name, (PatchKind::Merge, &patch), &options).await.map(drop)
}

fn is_served(served: &Served, (group, kind): (&str, &str)) -> bool {
    !served.versions(group, kind).is_empty()
}

async fn deployments(client: &Client) -> Result<(), ApiError> {
    let kind = ResourceType::new("apps/v1", "Deployment", "deployments", true);
    for deployment in client.list(&kind, None).await? {
        let status = &deployment.value()["status"];
        if status["conditions"].as_array().is_none_or(Vec::is_empty) {
            let generation = &deployment.value()["metadata"]["generation"];
            let status = json!({"status": {
                "observedGeneration": generation, "replicas": 1, "readyReplicas": 1,
                "availableReplicas": 1, "updatedReplicas": 1,
                "conditions": [{"type": "Available", "status": "True", "reason": "Understudy",
                    "message": "", "lastTransitionTime": TIME, "lastUpdateTime": TIME}],
            }});
            set_status(client, &kind, &deployment, &status).await?;
        }
    }
    Ok(())
}

async fn set_status(
    client: &Client,
    kind: &ResourceType,
    object: &Object,
    status: &Value,
) -> Result<(), ApiError> {
    let options = WriteOptions::manager(NAME).status();
    let name = (object.namespace(), object.name());
    client.patch(kind, name, (PatchKind::Merge, status), &options).await.map(drop)
}

async fn provision(
    part: &Part,
    client: &Client,
    served: &Served,
    kind: &ResourceType,
    cluster: &Object,
) -> Result<(), Box<dyn std::error::Error>> {
    let owner = json!({"apiVersion": kind.api_version(), "kind": "Cluster", "name": cluster.name(),
        "uid": cluster.uid()});
    if part.deletes && cluster.finalizers().is_empty() {
        set_finalizers(client, kind, cluster, &json!([FINALIZER])).await?;
    }
    let mut replicas = 0;
    for (group, owned) in OWNED {
        let Some(owned) = served.versions(group, owned).first() else { return Ok(()) };
        for object in client.list(owned, cluster.namespace()).await? {
            replicas += object.value()["spec"]["replicas"].as_u64().unwrap_or(0);
            if object.owner_references().is_empty() {
                let patch = json!({"metadata": {"ownerReferences": [owner]}});
                let name = (object.namespace(), object.name());
                let options = WriteOptions::manager(NAME);
                client.patch(owned, name, (PatchKind::Merge, &patch), &options).await?;
            }
        }
    }
    if part.has(Behaviour::Infrastructure) {
        infrastructure(client, served, cluster).await?;
        endpoint(client, kind, cluster).await?;
    }
    secret(part, client, cluster, &owner).await?;
    machines(part, client, served, cluster, (&owner, replicas)).await?;
    let status = cluster_status(part);
    // Merging a list replaces it, and the API server drops what it does not know: compare what was
    // meant.
    if cluster.value()["status"]["conditions"] != status["status"]["conditions"] {
        set_status(client, kind, cluster, &status).await?;
    }
    Ok(())
}

async fn infrastructure(
    client: &Client,
    served: &Served,
    cluster: &Object,
) -> Result<(), ApiError> {
    let kinds = served.versions("infrastructure.cluster.x-k8s.io", "DevCluster");
    let Some(kind) = kinds.first() else { return Ok(()) };
    for object in client.list(kind, cluster.namespace()).await? {
        if object.value()["status"]["initialization"]["provisioned"] != true {
            let status = json!({"status": {"initialization": {"provisioned": true}}});
            set_status(client, kind, &object, &status).await?;
        }
    }
    Ok(())
}

/// The address that nodes use, which is not the one by which the tests reach the API server.
async fn endpoint(client: &Client, kind: &ResourceType, cluster: &Object) -> Result<(), ApiError> {
    if !cluster.value()["spec"]["controlPlaneEndpoint"]["host"].is_null() {
        return Ok(());
    }
    let endpoint = json!({"host": ENDPOINT, "port": 6443});
    let patch =
        json!({"metadata": {"uid": cluster.uid()}, "spec": {"controlPlaneEndpoint": endpoint}});
    let name = (cluster.namespace(), cluster.name());
    let options = WriteOptions::manager(NAME);
    client.patch(kind, name, (PatchKind::Merge, &patch), &options).await.map(drop)
}

fn cluster_status(part: &Part) -> Value {
    let is_initialized = part.has(Behaviour::ControlPlane);
    let conditions = [
        ("ControlPlaneInitialized", is_initialized),
        ("InfrastructureReady", true),
        ("Available", is_initialized && part.has(Behaviour::Available)),
    ];
    let conditions = conditions.map(|(name, holds)| condition(name, holds));
    json!({"status": {
        "initialization": {"infrastructureProvisioned": true,
            "controlPlaneInitialized": is_initialized},
        "phase": "Provisioned", "conditions": conditions,
    }})
}

fn condition(kind: &str, holds: bool) -> Value {
    let status = if holds { "True" } else { "False" };
    json!({"type": kind, "status": status, "reason": "Understudy",
        "message": format!("{kind} is played"), "lastTransitionTime": TIME})
}

async fn secret(
    part: &Part,
    client: &Client,
    cluster: &Object,
    owner: &Value,
) -> Result<(), Box<dyn std::error::Error>> {
    let kind = ResourceType::core("Secret", "secrets");
    let name = format!("{}-kubeconfig", cluster.name());
    if client.get(&kind, cluster.namespace(), &name).await?.is_none() {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "cluster.x-k8s.io/secret",
            "metadata": {"name": name, "namespace": cluster.namespace(), "ownerReferences": [owner],
                "labels": {"cluster.x-k8s.io/cluster-name": cluster.name()}},
            "stringData": {"value": std::fs::read_to_string(part.secret.as_ref().unwrap_or(&part.target))?},
        });
        client.create(&kind, &Object::new(secret), &WriteOptions::manager(NAME)).await?;
    }
    Ok(())
}

async fn machines(
    part: &Part,
    client: &Client,
    served: &Served,
    cluster: &Object,
    (owner, replicas): (&Value, u64),
) -> Result<(), Box<dyn std::error::Error>> {
    let Some(kind) = served.versions("cluster.x-k8s.io", "Machine").first() else { return Ok(()) };
    let mut known = client.list(kind, cluster.namespace()).await?;
    for number in known.len() as u64..replicas {
        let name = format!("{}-{number}", cluster.name());
        let machine = json!({
            "apiVersion": kind.api_version(), "kind": "Machine",
            "metadata": {"name": name, "namespace": cluster.namespace(), "ownerReferences": [owner],
                "labels": {"cluster.x-k8s.io/cluster-name": cluster.name()}},
            "spec": {
                "clusterName": cluster.name(),
                "bootstrap": {"dataSecretName": name},
                "infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io",
                    "kind": "DevMachine", "name": name},
            },
        });
        let options = WriteOptions::manager(NAME);
        known.push(client.create(kind, &Object::new(machine), &options).await?);
    }
    let is_new = |machine: &Object| machine.value()["status"]["nodeRef"].is_null();
    if part.has(Behaviour::Nodes) && part.has(Behaviour::TargetNodes) && known.iter().any(is_new) {
        nodes(part, &known).await?;
    }
    for machine in known.iter().filter(|_| part.has(Behaviour::Nodes)) {
        if is_new(machine) {
            let status = json!({"status": {
                "nodeRef": {"name": machine.name()}, "phase": "Running",
                "conditions": [condition("NodeReady", true)],
            }});
            set_status(client, kind, machine, &status).await?;
        }
    }
    Ok(())
}

/// Nodes that kubelets would write into the target.
async fn nodes(part: &Part, machines: &[Object]) -> Result<(), Box<dyn std::error::Error>> {
    let target = Client::connect("stage", &KubeconfigRef::file(&part.target)).await?;
    let kind = ResourceType::new("v1", "Node", "nodes", false);
    for machine in machines {
        if target.get(&kind, None, machine.name()).await?.is_none() {
            // Cluster API's controller of Machines writes these.
            let annotations = json!({
                "cluster.x-k8s.io/cluster-name": machine.value()["spec"]["clusterName"],
                "cluster.x-k8s.io/cluster-namespace": machine.namespace(),
                "cluster.x-k8s.io/machine": machine.name(),
            });
            let node = json!({"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": machine.name(), "annotations": annotations}});
            let node = Object::new(node);
            let node = target.create(&kind, &node, &WriteOptions::manager(NAME)).await?;
            let ready = json!({"status": {"conditions": [condition("Ready", true)]}});
            set_status(&target, &kind, &node, &ready).await?;
        }
    }
    Ok(())
}
