//! A move that is refused or fails, and a target that does not hold what it should.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::oracle;
use kubectl_pivot_tests::policy::Policy;
use kubectl_pivot_tests::simulated_controllers::{Behaviour, SimulatedControllers};
use serde_json::json;

use super::failures::expect;
use super::fixture::{Fixture, Scenario};
use super::whole::clusters;

/// Problems that a rehearsal does not show.
const NO_WORKERS: Policy = Policy {
    name: "no-workers-here",
    refuses: ("cluster.x-k8s.io", "machinedeployments", "CREATE"),
    when: "!request.?dryRun.orValue(false)",
};

pub async fn a_move_that_fails_is_done_when_it_can_be(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let simulated_controllers = scenario.simulated_controllers();
    let target = scenario.client(scenario.target()).await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"value": "other"},
        "metadata": {"name": "pivot-kubeconfig", "namespace": "default"}});
    let secrets = ResourceType::core("Secret", "secrets");
    let theirs = create(&target, &secrets, secret).await;
    let outcome = scenario.program.run(scenario.create(&[])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `move` failed",
            "nothing was changed",
            "Secret default/pivot-kubeconfig: an object of this name is in the target already",
            "compare Secret default/pivot-kubeconfig in both clusters and delete or rename",
            "kubectl pivot resume pivot",
        ],
    );
    expect_all_in_bootstrap(&scenario).await;
    delete(&target, &secrets, &theirs).await;

    NO_WORKERS.install(&target).await;
    let outcome = scenario.program.run(["resume", "pivot"]).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `move` failed",
            "everything was rolled back",
            "MachineDeployment default/worker-md-0",
            "in the target cluster",
            "no-workers-here refuses it",
            "change the policy or its binding",
            "kubectl pivot resume pivot",
        ],
    );
    expect_all_in_bootstrap(&scenario).await;
    NO_WORKERS.remove(&target).await;

    drop(simulated_controllers);
    let simulated_controllers = SimulatedControllers::begin(
        scenario.part(|part| part.without = vec![Behaviour::Available]),
    );
    scenario.stop_in("verify", scenario.create(&[])).await;
    let outcome = scenario.program.run(scenario.create(&["--timeout", "2"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `verify` failed",
            "timed out after 2 s waiting until the target manages itself",
            "Available fails: Cluster default/pivot: it is not Available: Available is played",
            "kubectl pivot resume pivot",
        ],
    );
    drop(simulated_controllers);
    let _simulated_controllers = scenario.simulated_controllers();

    let bootstrap = scenario.bootstrap().await;
    let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    let left = json!({"apiVersion": kind.api_version(), "kind": "Cluster",
        "metadata": {"name": "left", "namespace": "default"}, "spec": {"paused": true,
        "infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "DevCluster",
            "name": "left"}}});
    let left = create(&bootstrap, &kind, left).await;
    let outcome = scenario.program.run(scenario.create(&["--timeout", "3"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `verify` failed",
            "SourceEmpty fails: Cluster default/left is still there",
            "kubectl pivot resume pivot",
        ],
    );
    delete(&bootstrap, &kind, &left).await;
    scenario.program.run(scenario.create(&[])).await.expect_success("without the faults");
    assert_eq!(clusters(&scenario).await, ["pivot"]);
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "");
}

/// The source is as before, and no copy is in the target.
async fn expect_all_in_bootstrap(scenario: &Scenario) {
    assert_eq!(clusters(scenario).await, Vec::<String>::new());
    let bootstrap = scenario.bootstrap().await;
    let found = scenario.list(&bootstrap, "cluster.x-k8s.io/v1beta2", "Cluster").await;
    assert_eq!(found.iter().map(Object::name).collect::<Vec<_>>(), ["pivot"]);
    assert!(found.iter().all(|cluster| oracle::is_active(cluster.value())), "{found:?}");
    let machines = scenario.list(&bootstrap, "cluster.x-k8s.io/v1beta2", "Machine").await;
    assert_eq!(machines.len(), 2);
}

async fn create(client: &Client, kind: &ResourceType, object: serde_json::Value) -> Object {
    let created = client.create(kind, &Object::new(object), &WriteOptions::default()).await;
    created.expect("an administrator may do this")
}

async fn delete(client: &Client, kind: &ResourceType, object: &Object) {
    let deleted = client.delete(kind, object.namespace(), object.name(), object.uid()).await;
    assert!(deleted.expect("an administrator may do this"), "it was not there");
}
