//! A move that holds the controllers of both sides by their leader-election Leases. The managers
//! are real, and so is their election; the harness is their kubelet.
//!
//! A set of another namespace shows whether the core manager works: it gives each its finalizer at
//! once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use serde_json::{Value, json};

use crate::bench::{Bench, Direction, Management};
use crate::{While, rule};

const ADDONS: &str = "addons.cluster.x-k8s.io/v1beta2";
/// The namespace of the sets.
const ELSEWHERE: &str = "elsewhere";
pub(crate) const BOTH: [Direction; 2] = [Direction::From, Direction::To];
/// Begins the identity under which a run holds a Lease.
pub(crate) const HOLDER: &str = "kubectl-pivot/";

/// The longest that controllers may take to come back.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time in which nothing may happen; the controllers take some milliseconds for it.
pub(crate) const QUIET: Duration = Duration::from_secs(5);

/// Their webhooks answer meanwhile.
pub(crate) async fn nothing_is_reconciled(bench: Arc<Bench>) {
    bench.run_as_pods().await;
    let scenario = bench.begin().await;
    for direction in BOTH {
        let side = bench.side(direction);
        assert_eq!(elected(side).await.len(), 3, "not all managers have elected a leader");
        create(&side.client, "before").await;
        wait_until_reconciled(side, "before").await;
    }
    let flags = ["--hold-controllers", "always"];
    let mut running = bench.start_until("move", &flags, rule(&bench, While::Copying, 0)).await;
    for direction in BOTH {
        let side = bench.side(direction);
        let holders = elected(side).await;
        assert!(holders.iter().all(|holder| holder.starts_with(HOLDER)), "{holders:?}");
        let wrong = set("wrong", &json!({}));
        let refused = side.client.create(&sets(), &wrong, &WriteOptions::dry_run()).await;
        let refused = refused.expect_err("it selects nothing");
        assert!(
            format!("{refused}: {}", refused.cause).contains("denied the request"),
            "{refused}"
        );
        create(&side.client, "meanwhile").await;
    }
    tokio::time::sleep(QUIET).await;
    for direction in BOTH {
        let set = get(bench.side(direction), "meanwhile").await.expect("it was created");
        assert_eq!(set.finalizers(), [] as [&str; 0], "a controller works on it");
        assert!(set.value()["status"].is_null(), "{set:?}");
    }
    bench.traffic().release();
    running.end().await.expect_success("the move");
    bench.turn();
    for direction in BOTH {
        wait_until_reconciled(bench.side(direction), "meanwhile").await;
        remove(bench.side(direction)).await;
    }
    scenario.check_taken_over(&bench).await;
}

/// The rollback holds them again. Of the run that was killed a create may be on its way, so the
/// target's Leases are not given back: they run out by themselves.
pub(crate) async fn killed_and_rolled_back(bench: Arc<Bench>) {
    bench.run_as_pods().await;
    let scenario = bench.begin().await;
    let flags = ["--hold-controllers", "auto"];
    let mut running = bench.start_until("move", &flags, rule(&bench, While::Copying, 12)).await;
    running.kill();
    running.end().await;
    bench.traffic().cut().await;
    for direction in BOTH {
        let holders = elected(bench.side(direction)).await;
        assert!(holders.iter().all(|holder| holder.starts_with(HOLDER)), "{holders:?}");
    }
    bench.run("rollback").await.expect_success("the rollback");
    for direction in BOTH {
        create(&bench.side(direction).client, "after").await;
        wait_until_reconciled(bench.side(direction), "after").await;
        let holders = elected(bench.side(direction)).await;
        assert!(holders.iter().any(|holder| !holder.starts_with(HOLDER)), "{holders:?}");
        remove(bench.side(direction)).await;
    }
    scenario.check_taken_over_by(&bench, Direction::From).await;
    // The next case finds all managers elected.
    let deadline = Instant::now() + PATIENCE;
    while elected(bench.side(Direction::To)).await.iter().any(|holder| holder.starts_with(HOLDER)) {
        assert!(Instant::now() < deadline, "the Leases do not run out");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The holders of the Leases of the managers.
pub(crate) async fn elected(side: &Management) -> Vec<String> {
    let leases = ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true);
    let leases = side.client.list(&leases, None).await.expect("can be listed");
    let of_managers = leases.iter().filter(|lease| {
        lease.name().starts_with("controller-leader") || lease.name().contains("leader-election")
    });
    let holders = of_managers.filter_map(|lease| lease.value()["spec"]["holderIdentity"].as_str());
    holders.filter(|holder| !holder.is_empty()).map(str::to_owned).collect()
}

pub(crate) async fn wait_until_reconciled(side: &Management, name: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let set = get(side, name).await.expect("it was created");
        if !set.finalizers().is_empty() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the controllers have not come back: {:?}",
            elected(side).await
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn create(client: &Client, name: &str) {
    let namespaces = ResourceType::new("v1", "Namespace", "namespaces", false);
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ELSEWHERE}});
    if client.get(&namespaces, None, ELSEWHERE).await.expect("can be read").is_none() {
        let namespace = Object::new(namespace);
        let created = client.create(&namespaces, &namespace, &WriteOptions::default()).await;
        created.expect("is not there");
    }
    let selector = json!({"matchLabels": {"nobody": "has-it"}});
    let created = client.create(&sets(), &set(name, &selector), &WriteOptions::default()).await;
    created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
}

fn set(name: &str, selector: &Value) -> Object {
    Object::new(json!({"apiVersion": ADDONS, "kind": "ClusterResourceSet",
        "metadata": {"name": name, "namespace": ELSEWHERE}, "spec": {"strategy": "ApplyOnce",
        "clusterSelector": selector, "resources": [{"kind": "ConfigMap", "name": "none"}]}}))
}

pub(crate) async fn get(side: &Management, name: &str) -> Option<Object> {
    side.client.get(&sets(), Some(ELSEWHERE), name).await.expect("can be read")
}

/// Leaves the cluster as later cases expect it.
pub(crate) async fn remove(side: &Management) {
    let left = side.client.list(&sets(), Some(ELSEWHERE)).await.expect("can be listed");
    for set in &left {
        let deleted = side.client.delete(&sets(), Some(ELSEWHERE), set.name(), set.uid()).await;
        deleted.unwrap_or_else(|error| panic!("{error}"));
    }
    let deadline = Instant::now() + PATIENCE;
    while !side.client.list(&sets(), Some(ELSEWHERE)).await.expect("can be listed").is_empty() {
        assert!(Instant::now() < deadline, "they do not go");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn sets() -> ResourceType {
    ResourceType::new(ADDONS, "ClusterResourceSet", "clusterresourcesets", true)
}
