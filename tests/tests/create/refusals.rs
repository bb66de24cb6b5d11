//! A cluster that is not accepted, or whose control plane never comes up.

use std::sync::Arc;

use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::policy::Policy;
use kubectl_pivot_tests::simulated_controllers::{Behaviour, SimulatedControllers};
use serde_json::{Value, json};

use super::failures::expect;
use super::fixture::{Fixture, Scenario, text};
use super::inspection;
use super::whole::clusters;

const NO_CLUSTERS: Policy = Policy {
    name: "no-clusters-on-sundays",
    refuses: ("cluster.x-k8s.io", "clusters", "CREATE"),
    when: "true",
};

pub async fn a_cluster_that_is_refused_is_applied_when_it_is_fixed(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let simulated_controllers = SimulatedControllers::begin(
        scenario.part(|part| part.without = vec![Behaviour::ControlPlane]),
    );
    let manifest = scenario.path("cluster.json");
    let create = |more: &[&str]| {
        scenario.create(&[&["--cluster-manifest", &text(&manifest)], more].concat())
    };
    let objects = rendered(&scenario).await;
    let write = |change: &dyn Fn(&mut Value)| {
        let mut objects = objects.clone();
        objects.iter_mut().filter(|object| object["kind"] == "MachineDeployment").for_each(change);
        let documents = objects.iter().map(|object| format!("---\n{object}\n"));
        std::fs::write(&manifest, documents.collect::<String>()).expect("write");
    };

    write(&|workers| workers["spec"]["replicas"] = json!("three"));
    let outcome = scenario.program.run(create(&[])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `apply-cluster` failed",
            "MachineDeployment default/worker-md-0",
            "spec.replicas",
            "in the bootstrap cluster",
            "or from your file",
            "kubectl pivot resume pivot",
        ],
    );
    write(&|workers| workers["kind"] = json!("MachineDeploymnt"));
    let outcome = scenario.program.run(create(&["--timeout", "2"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `apply-cluster` failed",
            "does not serve cluster.x-k8s.io/v1beta2 MachineDeploymnt",
        ],
    );
    let bootstrap = scenario.bootstrap().await;
    let listed = scenario.list(&bootstrap, "cluster.x-k8s.io/v1beta2", "Cluster").await;
    assert!(listed.is_empty(), "half of a cluster was applied");

    write(&|_| {});
    NO_CLUSTERS.install(&bootstrap).await;
    let outcome = scenario.program.run(create(&[])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `apply-cluster` failed",
            "Cluster default/pivot in the bootstrap cluster",
            "no-clusters-on-sundays refuses it",
            "change the policy or its binding",
            "kubectl pivot resume pivot",
        ],
    );
    NO_CLUSTERS.remove(&bootstrap).await;

    scenario.stop_in("control-plane", create(&[])).await;
    let _kubelet = inspection::something_unwell(&bootstrap).await;
    let outcome = scenario.program.run(create(&["--timeout", "2"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `control-plane` failed",
            "timed out after 2 s waiting until the control plane of the target is initialised",
            "Cluster default/pivot: its control plane is not initialised",
            "Cluster default/pivot: ControlPlaneInitialized is False (SimulatedControllers) \
             ControlPlaneInitialized is played",
            "with a timeout above --timeout 2",
            "kubectl pivot resume pivot",
        ],
    );
    expect(&outcome, exit::UNFINISHED, &inspection::TOLD);
    assert_eq!(clusters(&scenario).await, Vec::<String>::new());

    drop(simulated_controllers);
    let _simulated_controllers = scenario.simulated_controllers();
    scenario.program.run(create(&[])).await.expect_success("without the faults");
    assert_eq!(clusters(&scenario).await, ["pivot"]);
}

/// The objects that a run would apply.
async fn rendered(scenario: &Scenario) -> Vec<Value> {
    let outcome = scenario.program.run(scenario.create(&["--dry-run", "-o", "json"])).await;
    let outline = outcome.expect_success("dry-run").json();
    let steps = outline["steps"].as_array().expect("steps");
    let step = steps.iter().find(|step| step["step"] == "apply-cluster");
    step.expect("it is a step")["applies"].as_array().expect("objects").clone()
}
