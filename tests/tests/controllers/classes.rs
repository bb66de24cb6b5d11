//! A Cluster whose topology is of a ClusterClass. The webhook of the target asks for what its
//! controller says of the class at every write to such a Cluster.

use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::{Condition, Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule};
use serde_json::{Value, json};

use crate::bench::{self, Bench, Direction};

const CORE: &str = "cluster.x-k8s.io/v1beta2";
const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io/v1beta2";
const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io/v1beta2";

/// Namespace of the class and its Cluster.
const NAMESPACE: &str = "classes";
/// Name of the Cluster.
const CLUSTER: &str = "managed";
/// Name of the class and its templates.
const CLASS: &str = "small";
/// The longest that controllers may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// The class has been reconciled before the Cluster arrives, and nothing of the Cluster is rolled
/// out when the target takes over.
pub(crate) async fn reconciled_first(bench: Arc<Bench>) {
    let (source, target) = (bench.side(Direction::From), bench.side(Direction::To));
    create(&source.client).await;
    wait_until_available(&source.client).await;
    let machines = names(&source.client, CORE, "Machine").await;
    // The relay leads the in-memory provider to the other cluster when this one has no Cluster
    // left that works.
    pause_other(&source.client, true).await;
    let to = bench.place(Direction::To);
    let is_cluster = move |call: &Call| {
        call.side == to && call.method == "POST" && call.is_write() && call.is_about("clusters")
    };
    let rule = Rule::when(is_cluster, Fault::HoldBefore).times(1);
    let mut running = bench.move_until(NAMESPACE, rule).await;
    let class = target.client.get(&kind(CORE, "ClusterClass"), Some(NAMESPACE), CLASS).await;
    let class = class.expect("can be read").expect("comes before the Cluster");
    let (metadata, status) = (&class.value()["metadata"], &class.value()["status"]);
    assert_eq!(status["observedGeneration"], metadata["generation"], "{class:#?}");
    let variables = class.condition("VariablesReady").expect("its controller has seen it");
    assert!(variables.is_true(), "{class:#?}");
    bench.traffic().release();
    running.end().await.expect_success("the move");
    wait_until_available(&target.client).await;
    assert_eq!(names(&target.client, CORE, "Machine").await, machines);
    for kind in ["ClusterClass", "Cluster", "Machine"] {
        assert_eq!(names(&source.client, CORE, kind).await, Vec::<String>::new());
    }
    remove(&target.client).await;
    pause_other(&source.client, false).await;
}

/// Pauses the Cluster that the other cases move, as its user, or resumes it.
async fn pause_other(client: &Client, is_paused: bool) {
    let paused = if is_paused { json!(true) } else { Value::Null };
    let patch = json!({"spec": {"paused": paused}});
    let place = (Some(bench::NAMESPACE), bench::CLUSTER);
    let options = WriteOptions::manager("kubectl-patch");
    let patch = (PatchKind::Merge, &patch);
    let patched = client.patch(&kind(CORE, "Cluster"), place, patch, &options).await;
    patched.expect("the Cluster of the suite is there");
}

async fn create(client: &Client) {
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let namespaces = ResourceType::new("v1", "Namespace", "namespaces", false);
    let options = WriteOptions::manager("kubectl-create");
    let created = client.create(&namespaces, &Object::new(namespace), &options).await;
    created.expect("is not there yet");
    for (api_version, kind_name, name, spec) in manifests() {
        let object = json!({"apiVersion": api_version, "kind": kind_name, "spec": spec,
            "metadata": {"name": name, "namespace": NAMESPACE}});
        let kind = kind(api_version, kind_name);
        let created = client.create(&kind, &Object::new(object), &options).await;
        created.unwrap_or_else(|error| panic!("{kind_name}: {error}: {}", error.cause));
    }
}

fn manifests() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let reference = |api_version: &str, kind: &str| {
        let template = json!({"apiVersion": api_version, "kind": kind, "name": CLASS});
        json!({"templateRef": template})
    };
    let start = json!({"provisioning": {"startupDuration": "1s"}});
    let parts = json!({"vm": start, "node": start, "apiServer": start, "etcd": start});
    let registration =
        json!({"nodeRegistration": {"criSocket": "unix:///var/run/containerd/containerd.sock"}});
    let mut control_plane = reference(CONTROL_PLANE, "KubeadmControlPlaneTemplate");
    control_plane["machineInfrastructure"] = reference(INFRASTRUCTURE, "DevMachineTemplate");
    vec![
        (
            INFRASTRUCTURE,
            "DevClusterTemplate",
            CLASS,
            json!({"template": {"spec": {"backend": {"inMemory": {}}}}}),
        ),
        (
            INFRASTRUCTURE,
            "DevMachineTemplate",
            CLASS,
            json!({"template": {"spec": {"backend": {"inMemory": parts}}}}),
        ),
        (
            CONTROL_PLANE,
            "KubeadmControlPlaneTemplate",
            CLASS,
            json!({"template": {"spec": {"kubeadmConfigSpec": {
                "initConfiguration": registration, "joinConfiguration": registration}}}}),
        ),
        (
            CORE,
            "ClusterClass",
            CLASS,
            json!({"infrastructure": reference(INFRASTRUCTURE, "DevClusterTemplate"),
                "controlPlane": control_plane,
                "variables": [{"name": "size", "required": false,
                    "schema": {"openAPIV3Schema": {"type": "string", "default": "s"}}}]}),
        ),
        (
            CORE,
            "Cluster",
            CLUSTER,
            json!({"clusterNetwork": {"pods": {"cidrBlocks": ["192.168.0.0/16"]},
                    "services": {"cidrBlocks": ["10.128.0.0/12"]},
                    "serviceDomain": "cluster.local"},
                "topology": {"classRef": {"name": CLASS}, "version": "v1.34.0",
                    "controlPlane": {"replicas": 1}}}),
        ),
    ]
}

async fn wait_until_available(client: &Client) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = client.get(&kind(CORE, "Cluster"), Some(NAMESPACE), CLUSTER).await;
        let cluster = found.expect("can be read");
        let conditions = cluster.as_ref().map(|cluster| &cluster.value()["status"]["conditions"]);
        if cluster
            .as_ref()
            .and_then(|one| one.condition("Available"))
            .is_some_and(Condition::is_true)
        {
            return;
        }
        assert!(Instant::now() < deadline, "{CLUSTER} is not Available: {conditions:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn names(client: &Client, api_version: &str, kind_name: &str) -> Vec<String> {
    let listed = client.list(&kind(api_version, kind_name), Some(NAMESPACE)).await;
    let listed = listed.expect("can be listed");
    listed.iter().map(|object| object.name().to_owned()).collect()
}

/// Later cases find nothing of it: its controllers tear the Cluster down. A webhook refuses to
/// delete the class until it has noticed that.
async fn remove(client: &Client) {
    for kind in [kind(CORE, "Cluster"), kind(CORE, "ClusterClass")] {
        let deadline = Instant::now() + PATIENCE;
        let mut refused = None;
        loop {
            let listed = client.list(&kind, Some(NAMESPACE)).await.expect("can be listed");
            if listed.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "{kind:?} stays: {refused:?} {listed:#?}");
            for object in listed.iter().filter(|object| !object.is_being_deleted()) {
                let place = (object.namespace(), object.name());
                let deleted = client.delete(&kind, place.0, place.1, object.uid()).await;
                refused = deleted.err().map(|error| format!("{error}: {}", error.cause));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn kind(api_version: &str, kind: &str) -> ResourceType {
    let plural = match kind {
        "ClusterClass" => "clusterclasses".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    };
    ResourceType::new(api_version, kind, &plural, true)
}
