//! With the real managers of Cluster API in both clusters: who moves, and who manages afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::real_managers::{RealManagers, wait_for_provider_port};
use kubectl_pivot_tests::repository;
use kubectl_pivot_tests::simulated_controllers::{Behaviour, SimulatedControllers};
use sandbox::{ControllersOptions, ManagerHost};
use serde_json::{Value, json};
use support::causes::in_one_line;

use super::fixture::{Fixture, Scenario, text};
use super::whole::clusters;

const CORE: &str = "cluster.x-k8s.io/v1beta2";

/// The machines behind Machines: by name, provider id and Node.
type Machines = BTreeMap<String, (String, String)>;

pub async fn real_controllers_of_the_target_take_over(fixture: Arc<Fixture>) {
    wait_for_provider_port().await;
    let mut scenario = fixture.scenario().await;
    let bootstrap = scenario.path("state/runs/pivot/bootstrap.kubeconfig");
    let host = vec![bootstrap, scenario.target().to_owned()];
    let controllers = ControllersOptions { program: scenario.program.path().to_owned() };
    let parts = parts::options();
    let prepared =
        ManagerHost::prepare(&controllers, &parts, host.clone(), scenario.dir.path()).await;
    let prepared = prepared.unwrap_or_else(|error| panic!("{}", in_one_line(&error)));
    let folder = scenario.path("repository");
    scenario.config =
        repository::write_with_webhooks(&folder, &fixture.parts().crds, prepared.webhooks()).await;
    // It plays the kubelet that reports Deployments; everything else is the managers' own work.
    let _simulated_controllers =
        SimulatedControllers::begin(scenario.part(|part| part.without = vec![Behaviour::Clusters]));
    let mut real_managers = RealManagers::begin(prepared, host);
    tokio::select! {
        () = pivot_and_scale(&scenario) => {}
        error = real_managers.failure() => panic!("the managers cannot be started: {error}"),
    }
}

async fn pivot_and_scale(scenario: &Scenario) {
    // The in-memory provider's own clusters cannot be management clusters: they have no CRDs. So
    // the target is a control plane of its own.
    let target = text(scenario.target());
    let flags = ["--cni", "none", "--to-kubeconfig", &target, "--timeout", "280"];
    let mut running = scenario.program.start(scenario.create(&flags));
    let before = tokio::select! {
        outcome = running.end() => panic!("it has ended before the move: {outcome}"),
        before = async {
            scenario.until_begun("move").await;
            machines(scenario, &scenario.bootstrap().await).await
        } => before,
    };
    assert_eq!(before.len(), 2, "{before:?}");
    assert!(before.values().all(|(id, node)| !id.is_empty() && !node.is_empty()), "{before:?}");
    running.end().await.expect_success("create");
    assert_eq!(clusters(scenario).await, ["pivot"]);
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "", "it is still there");

    let target = scenario.client(scenario.target()).await;
    assert_eq!(machines(scenario, &target).await, before, "Machines were replaced");
    scale(scenario, &target).await;
    let after = machines(scenario, &target).await;
    let is_kept = |(name, real): (&String, &(String, String))| after.get(name) == Some(real);
    assert!(before.iter().all(is_kept), "{before:?} {after:?}");
    assert_eq!(after.len(), 3, "{after:?}");
}

/// From one worker to two, by the controllers of the target.
async fn scale(scenario: &Scenario, target: &Client) {
    let kind = ResourceType::new(CORE, "MachineDeployment", "machinedeployments", true);
    let workers = scenario.list(target, CORE, "MachineDeployment").await;
    let name = workers.first().expect("it was moved").name().to_owned();
    let patch = json!({"spec": {"replicas": 2}});
    let options = WriteOptions::manager("somebody");
    let name = (Some("default"), name.as_str());
    target.patch(&kind, name, (PatchKind::Merge, &patch), &options).await.expect("patched");
    let mut last = Value::Null;
    for _ in 0..600 {
        let workers = target.get(&kind, name.0, name.1).await.expect("it can be read");
        last = workers.expect("it is there").value()["status"].clone();
        if last["readyReplicas"] == 2 && last["availableReplicas"] == 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the second worker never came: {last:#}");
}

async fn machines(scenario: &Scenario, client: &Client) -> Machines {
    let text = |machine: &Object, path: &str| {
        let found = machine.value().pointer(path).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let machines = scenario.list(client, CORE, "Machine").await;
    let machines = machines.iter().map(|machine| {
        let real = (text(machine, "/spec/providerID"), text(machine, "/status/nodeRef/name"));
        (machine.name().to_owned(), real)
    });
    machines.collect()
}
