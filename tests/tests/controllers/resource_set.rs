//! A ClusterResourceSet that applies to the cluster. Its controller does not look whether the
//! Cluster is paused, only whether the set is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

use crate::bench::{Bench, CLUSTER, Direction, Management, NAMESPACE};
use crate::machines::workload;

const ADDONS: &str = "addons.cluster.x-k8s.io/v1beta2";
const NAME: &str = "addons";
/// The object that the set creates in the workload cluster.
const ADDON: &str = "of-resource-set";

/// The longest that the controller may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn moves(bench: Arc<Bench>) {
    create(bench.side(Direction::From)).await;
    let applied = wait_until_applied(bench.side(Direction::From)).await;
    let addon = addon(bench.side(Direction::From)).await;

    let scenario = bench.begin().await;
    bench.run("move").await.expect_success("the move");
    bench.turn();
    scenario.check_taken_over(&bench).await;

    let target = bench.side(Direction::From);
    assert_eq!(wait_until_applied(target).await, applied, "it was applied again");
    assert_eq!(self::addon(target).await.uid(), addon.uid());
    assert_eq!(left(bench.side(Direction::To)).await, Vec::<String>::new());
    remove(target).await;
}

async fn create(side: &Management) {
    let addon = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": ADDON, "namespace": NAMESPACE}, "data": {"a": "1"}});
    let resource = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": NAMESPACE}, "data": {"addon": addon.to_string()}});
    let set = json!({"apiVersion": ADDONS, "kind": "ClusterResourceSet",
    "metadata": {"name": NAME, "namespace": NAMESPACE},
    "spec": {
        "strategy": "Reconcile",
        "clusterSelector": {"matchLabels": {"addons": "wanted"}},
        "resources": [{"kind": "ConfigMap", "name": NAME}],
    }});
    let options = WriteOptions::manager("kubectl-create");
    for (kind, object) in [(config_maps(), resource), (sets(), set)] {
        let created = side.client.create(&kind, &Object::new(object), &options).await;
        created.unwrap_or_else(|error| panic!("{error}: {}", error.cause));
    }
    label(&side.client, &json!("wanted")).await;
}

async fn label(client: &Client, value: &Value) {
    let clusters = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    let patch = json!({"metadata": {"labels": {"addons": value}}});
    let options = WriteOptions::manager("kubectl-label");
    let place = (Some(NAMESPACE), CLUSTER);
    let labelled = client.patch(&clusters, place, (PatchKind::Merge, &patch), &options).await;
    labelled.unwrap_or_else(|error| panic!("{error}"));
}

/// When the set was applied, once it is and its controller has taken it up.
async fn wait_until_applied(side: &Management) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let set = side.client.get(&sets(), Some(NAMESPACE), NAME).await.expect("can be read");
        let binding = side.client.get(&bindings(), Some(NAMESPACE), CLUSTER).await;
        let binding = binding.expect("can be read");
        let resource = binding
            .as_ref()
            .map(|binding| binding.value()["spec"]["bindings"][0]["resources"][0].clone());
        let is_paused = set.as_ref().is_none_or(|set| {
            let conditions = set.value()["status"]["conditions"].as_array();
            !conditions
                .into_iter()
                .flatten()
                .any(|c| c["type"] == "Paused" && c["status"] == "False")
        });
        if let Some(resource) =
            resource.filter(|resource| resource["applied"] == true && !is_paused)
        {
            return resource["lastAppliedTime"].as_str().expect("it has a time").to_owned();
        }
        assert!(Instant::now() < deadline, "not applied: {set:#?} {binding:#?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// Objects that it has created in the workload cluster.
async fn addon(side: &Management) -> Object {
    let found = workload(&side.client).await.get(&config_maps(), Some(NAMESPACE), ADDON).await;
    found.expect("the workload cluster answers").expect("it was applied")
}

/// Sets and bindings of a side.
async fn left(side: &Management) -> Vec<String> {
    let mut left = Vec::new();
    for kind in [sets(), bindings()] {
        let listed = side.client.list(&kind, Some(NAMESPACE)).await.expect("can be listed");
        left.extend(listed.iter().map(|object| object.id().to_string()));
    }
    left
}

/// Leaves the cluster as later cases expect it.
async fn remove(side: &Management) {
    label(&side.client, &Value::Null).await;
    for (kind, name) in [(sets(), NAME), (bindings(), CLUSTER), (config_maps(), NAME)] {
        let found = side.client.get(&kind, Some(NAMESPACE), name).await.expect("can be read");
        if let Some(object) = found {
            let deleted = side.client.delete(&kind, Some(NAMESPACE), name, object.uid()).await;
            deleted.unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

fn sets() -> ResourceType {
    ResourceType::new(ADDONS, "ClusterResourceSet", "clusterresourcesets", true)
}

fn bindings() -> ResourceType {
    ResourceType::new(ADDONS, "ClusterResourceSetBinding", "clusterresourcesetbindings", true)
}

fn config_maps() -> ResourceType {
    ResourceType::core("ConfigMap", "configmaps")
}
