//! Stands in for kubelets and controllers: what they would write, and nothing that they would decide.
//!
//! Deployments become available. The objects of a Cluster that is not paused get their owner, the
//! Machines that its replicas ask for appear with Nodes, and the Cluster becomes Available. Everything
//! else of these clusters is real: API servers, CRDs, clusterctl, the move.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kubectl_pivot::capi::{Object, ResourceType, is_paused};
use kubectl_pivot::cluster::{ApiError, Client, KubeconfigRef, PatchKind, Served, WriteOptions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const NAME: &str = "understudy";
const TIME: &str = "2026-01-01T00:00:00Z";

/// Works on its clusters until it is dropped.
pub struct Understudy {
    task: JoinHandle<()>,
}

/// What it plays.
#[derive(Clone, Debug)]
pub struct Part {
    /// Kubeconfigs of clusters, which need not exist yet.
    pub clusters: Vec<PathBuf>,
    /// What the Secret of each Cluster leads to.
    pub target: PathBuf,
    /// Whether Machines get Nodes.
    pub with_nodes: bool,
    /// Whether Deployments become available.
    pub with_deployments: bool,
    /// Whether the infrastructure of Clusters is provisioned.
    pub with_infrastructure: bool,
}

impl Understudy {
    /// Begins.
    pub fn begin(part: Part) -> Self {
        let part = Arc::new(part);
        let task = tokio::spawn(async move {
            loop {
                for kubeconfig in &part.clusters {
                    // A cluster that is coming up or going away is looked at again later.
                    let _ = play(&part, kubeconfig).await;
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        });
        Self { task }
    }
}

impl Drop for Understudy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn play(part: &Part, kubeconfig: &PathBuf) -> Result<(), Box<dyn std::error::Error>> {
    if !kubeconfig.exists() {
        return Ok(());
    }
    let client = Client::connect("stage", &KubeconfigRef::file(kubeconfig)).await?;
    let client = client.with_retry(kubectl_pivot::cluster::RetryPolicy::brief());
    if part.with_deployments {
        deployments(&client).await?;
    }
    let served = Served::read(&client).await?;
    let Some(kind) = served.versions("cluster.x-k8s.io", "Cluster").first() else { return Ok(()) };
    for cluster in client.list(kind, None).await? {
        if !is_paused(&cluster) && !cluster.is_being_deleted() {
            provision(part, &client, &served, kind, &cluster).await?;
        }
    }
    Ok(())
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
    let mut replicas = 0;
    for (group, owned) in [
        ("infrastructure.cluster.x-k8s.io", "DevCluster"),
        ("infrastructure.cluster.x-k8s.io", "DevMachineTemplate"),
        ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
        ("bootstrap.cluster.x-k8s.io", "KubeadmConfigTemplate"),
        ("cluster.x-k8s.io", "MachineDeployment"),
    ] {
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
    if part.with_infrastructure {
        infrastructure(client, served, cluster).await?;
    }
    secret(part, client, cluster, &owner).await?;
    machines(part, client, served, cluster, (&owner, replicas)).await?;
    let conditions: Vec<Value> = ["ControlPlaneInitialized", "InfrastructureReady", "Available"]
        .iter()
        .map(|name| condition(name, "True"))
        .collect();
    if cluster.value()["status"]["conditions"].as_array().is_none_or(Vec::is_empty) {
        let status = json!({"status": {
            "initialization": {"infrastructureProvisioned": true, "controlPlaneInitialized": true},
            "phase": "Provisioned", "conditions": conditions,
        }});
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

fn condition(kind: &str, status: &str) -> Value {
    json!({"type": kind, "status": status, "reason": "Understudy", "message": "as told",
        "lastTransitionTime": TIME})
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
            "stringData": {"value": std::fs::read_to_string(&part.target)?},
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
                "infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "DevMachine", "name": name},
            },
        });
        let options = WriteOptions::manager(NAME);
        known.push(client.create(kind, &Object::new(machine), &options).await?);
    }
    for machine in known.iter().filter(|_| part.with_nodes) {
        if machine.value()["status"]["nodeRef"].is_null() {
            let status = json!({"status": {
                "nodeRef": {"name": machine.name()}, "phase": "Running",
                "conditions": [condition("NodeReady", "True")],
            }});
            set_status(client, kind, machine, &status).await?;
        }
    }
    Ok(())
}
