//! The Machines of the cluster, and what happens to them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capi::{Object, ResourceType};
use cluster::Client;
use kubectl_pivot_tests::history::Change;
use kubectl_pivot_tests::proxy::Side;
use serde_json::Value;

use crate::bench::{Bench, CLUSTER, Direction, Management, NAMESPACE};

const CORE: &str = "cluster.x-k8s.io/v1beta2";
const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io/v1beta2";
const BOOTSTRAP: &str = "bootstrap.cluster.x-k8s.io/v1beta2";
const CONTROL_PLANE: &str = "controlplane.cluster.x-k8s.io/v1beta2";

/// Kinds whose controllers report whether they are paused.
const REPORTING: [(&str, &str); 8] = [
    (CORE, "Cluster"),
    (CORE, "Machine"),
    (CORE, "MachineSet"),
    (CORE, "MachineDeployment"),
    (CONTROL_PLANE, "KubeadmControlPlane"),
    (BOOTSTRAP, "KubeadmConfig"),
    (INFRASTRUCTURE, "DevCluster"),
    (INFRASTRUCTURE, "DevMachine"),
];

/// The longest that controllers may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// The machines behind the Machines: by Machine, the provider id and the Node, and all Nodes by
/// uid.
#[derive(Debug, PartialEq)]
struct Reality {
    machines: BTreeMap<String, (String, String)>,
    nodes: BTreeMap<String, String>,
}

/// A move, or an attempt at one, as the Machines see it.
pub(crate) struct Scenario {
    reality: Reality,
    /// Start of the Machines' history, on each side.
    versions: [(Side, String); 2],
}

impl Scenario {
    pub(crate) async fn begin(bench: &Bench) -> Self {
        let reality = Reality::of(bench.side(Direction::From)).await;
        assert_eq!(reality.machines.len(), 3, "{reality:?}");
        assert_eq!(reality.nodes.len(), 3, "{reality:?}");
        let now = |direction| async move {
            (
                bench.place(direction),
                bench.side(direction).history.now(&kind(CORE, "Machine")).await,
            )
        };
        let versions = [now(Direction::From).await, now(Direction::To).await];
        Self { reality, versions }
    }

    /// Checks that the controllers of the other side have taken over; the bench has turned.
    pub(crate) async fn check_taken_over(&self, bench: &Bench) {
        self.check_taken_over_by(bench, Direction::From).await;
    }

    /// Checks that the controllers of a side have the cluster Available, with the same machines,
    /// and that it was never active twice.
    pub(crate) async fn check_taken_over_by(&self, bench: &Bench, direction: Direction) {
        let side = bench.side(direction);
        wait_until_available(side).await;
        wait_until_unpaused(side).await;
        bench.verify(direction).await.expect_success("verify");
        assert_eq!(Reality::of(side).await, self.reality);
        let timeline = bench.traffic().timeline();
        assert!(timeline.events() > 2, "the proxies have seen nothing");
        assert_eq!(timeline.violations(), Vec::<String>::new());
        self.check_histories(bench).await;
    }

    /// No Machine but the known ones was ever created, and each at most once on a side.
    async fn check_histories(&self, bench: &Bench) {
        for direction in [Direction::From, Direction::To] {
            let place = bench.place(direction);
            let version = &self.versions.iter().find(|(side, _)| *side == place).expect("both").1;
            let history = &bench.side(direction).history;
            let changes = history.since(&kind(CORE, "Machine"), NAMESPACE, version).await;
            let added = changes.iter().filter(|(change, _)| *change == Change::Added);
            let mut names: Vec<&str> = added.map(|(_, machine)| machine.name()).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{place:?}: a Machine was created twice");
            let known = |name: &&str| self.reality.machines.contains_key(*name);
            assert!(names.iter().all(known), "{place:?}: {names:?}");
        }
    }
}

impl Reality {
    async fn of(side: &Management) -> Self {
        let machines = list(&side.client, CORE, "Machine").await;
        let machines = machines.iter().map(|machine| {
            let text = |path: &str| {
                machine.value().pointer(path).and_then(Value::as_str).unwrap_or("-").to_owned()
            };
            (machine.name().to_owned(), (text("/spec/providerID"), text("/status/nodeRef/name")))
        });
        Self { machines: machines.collect(), nodes: nodes(&side.client).await }
    }
}

/// The Nodes of the workload cluster.
async fn nodes(management: &Client) -> BTreeMap<String, String> {
    let kind = ResourceType::new("v1", "Node", "nodes", false);
    let nodes = workload(management).await.list(&kind, None).await;
    let nodes = nodes.expect("the workload cluster answers");
    nodes.iter().map(|node| (node.name().to_owned(), node.uid().to_owned())).collect()
}

/// The workload cluster, which the in-memory provider serves.
pub(crate) async fn workload(management: &Client) -> Client {
    let secrets = ResourceType::core("Secret", "secrets");
    let name = format!("{CLUSTER}-kubeconfig");
    let secret = management.get(&secrets, Some(NAMESPACE), &name).await;
    let secret = secret.expect("Secrets can be read").expect("the cluster has a kubeconfig");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("workload.kubeconfig");
    let text = secret.value()["data"]["value"].as_str().expect("it holds a kubeconfig");
    let decoded = STANDARD.decode(text).expect("Secrets are base64");
    std::fs::write(&path, decoded).expect("the folder is writable");
    let kubeconfig = cluster::KubeconfigRef::file(&path);
    Client::connect("workload", &kubeconfig).await.expect("a usable kubeconfig")
}

/// The status of a condition of all objects that have it.
pub(crate) async fn conditions(side: &Management, name: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (api_version, kind_name) in REPORTING {
        for object in list(&side.client, api_version, kind_name).await {
            let conditions = object.value()["status"]["conditions"].as_array().cloned();
            for condition in conditions.into_iter().flatten().filter(|c| c["type"] == name) {
                let status = condition["status"].as_str().unwrap_or_default().to_owned();
                found.insert(object.id().to_string(), status);
            }
        }
    }
    found
}

async fn wait_until_available(side: &Management) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let clusters = list(&side.client, CORE, "Cluster").await;
        let cluster = clusters.iter().find(|cluster| cluster.name() == CLUSTER);
        let conditions = cluster.map(|cluster| cluster.value()["status"]["conditions"].clone());
        let mut all = conditions.as_ref().and_then(Value::as_array).into_iter().flatten();
        if all.any(|condition| condition["type"] == "Available" && condition["status"] == "True") {
            return;
        }
        assert!(Instant::now() < deadline, "{CLUSTER} is not Available: {conditions:#?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Every controller has taken up its objects again, the in-memory provider's too.
async fn wait_until_unpaused(side: &Management) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let paused = conditions(side, "Paused").await;
        if paused.len() == 5 + 3 * 3 && paused.values().all(|status| status == "False") {
            return;
        }
        assert!(Instant::now() < deadline, "not taken up again: {paused:#?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn list(client: &Client, api_version: &str, kind_name: &str) -> Vec<Object> {
    let listed = client.list(&kind(api_version, kind_name), Some(NAMESPACE)).await;
    listed.unwrap_or_else(|error| panic!("{error}"))
}

fn kind(api_version: &str, kind: &str) -> ResourceType {
    ResourceType::new(api_version, kind, &format!("{}s", kind.to_lowercase()), true)
}
