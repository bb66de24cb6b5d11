//! `create` in a management cluster of the user, in a namespace that has another Cluster.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::simulated_controllers::SimulatedControllers;
use serde_json::json;

use super::aborts::make_kind_cluster;
use super::failures::expect;
use super::fixture::{Fixture, text};
use super::whole::clusters;

const CORE: &str = "cluster.x-k8s.io/v1beta2";
const INFRASTRUCTURE: &str = "infrastructure.cluster.x-k8s.io/v1beta2";

pub async fn only_the_cluster_of_the_run_moves(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let kubeconfig = make_kind_cluster(&scenario, "pivot-bootstrap").await;
    let _simulated_controllers = SimulatedControllers::begin(
        scenario
            .part(|part| part.clusters = vec![kubeconfig.clone(), scenario.target().to_owned()]),
    );
    let file = text(&kubeconfig);
    let create = scenario.create(&["--bootstrap", "existing", "--bootstrap-kubeconfig", &file]);
    scenario.stop_after("init-bootstrap", create).await;

    // A Cluster of somebody else, which has a template under the name of one of this run.
    let bootstrap = scenario.client(&kubeconfig).await;
    let kind = ResourceType::new(CORE, "Cluster", "clusters", true);
    let other = json!({"apiVersion": CORE, "kind": "Cluster", "spec": {"paused": true},
        "metadata": {"name": "other", "namespace": "default"}});
    let other = make(&bootstrap, &kind, other).await;
    let owner = json!({"apiVersion": CORE, "kind": "Cluster", "name": "other", "uid": other.uid()});
    let templates =
        ResourceType::new(INFRASTRUCTURE, "DevMachineTemplate", "devmachinetemplates", true);
    let template = json!({"apiVersion": INFRASTRUCTURE, "kind": "DevMachineTemplate",
        "metadata": {"name": "worker", "namespace": "default", "ownerReferences": [owner]},
        "spec": {"template": {"spec": {"backend": {"inMemory": {}}}}}});
    let template = make(&bootstrap, &templates, template).await;
    let refused = scenario.program.run(["resume", "pivot"]).await;
    let said = [
        "the step `apply-cluster` failed",
        "DevMachineTemplate default/worker in the bootstrap cluster belongs to Cluster other",
        "--set prefix-names=true",
    ];
    expect(&refused, exit::UNFINISHED, &said);
    let gone = bootstrap.delete(&templates, Some("default"), "worker", template.uid()).await;
    assert!(gone.expect("it may be deleted"));

    scenario.program.run(["resume", "pivot"]).await.expect_success("resume");
    assert_eq!(clusters(&scenario).await, ["pivot"], "the other one has moved, too");
    let left = bootstrap.get(&kind, Some("default"), "other").await.expect("it answers");
    let left = left.expect("it stays");
    assert_eq!((left.uid(), &left.value()["spec"]), (other.uid(), &json!({"paused": true})));
    let moved = bootstrap.get(&kind, Some("default"), "pivot").await.expect("it answers");
    assert!(moved.is_none(), "it is in both");
}

async fn make(client: &Client, kind: &ResourceType, object: serde_json::Value) -> Object {
    let made = client.create(kind, &Object::new(object), &WriteOptions::default()).await;
    made.expect("it can be made")
}
