//! With the real managers of Cluster API in both clusters: who moves, and who manages afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::proxy::{Call, Proxy, Side, Traffic, Write};
use kubectl_pivot_tests::real_managers::{RealManagers, wait_for_provider_port};
use kubectl_pivot_tests::repository;
use kubectl_pivot_tests::simulated_controllers::{Behaviour, SimulatedControllers};
use sandbox::{ControllersOptions, ManagerHost};
use serde_json::{Value, json};
use support::causes::in_one_line;

use super::failures::expect;
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
    let traffic = Traffic::new(1);
    let proxy = Proxy::start(Side::Target, scenario.target(), &traffic).await;
    let target = text(&proxy.write_kubeconfig(scenario.path("to.kubeconfig")));
    let flags = ["--cni", "none", "--to-kubeconfig", &target, "--timeout", "280"];
    let mut running = scenario.program.start(scenario.create(&flags));
    let (before, _proxy) = tokio::select! {
        outcome = running.end() => panic!("it has ended before the move: {outcome}"),
        before = async {
            scenario.until_begun("init-target").await;
            let proxy = through_proxy(scenario, &traffic).await;
            scenario.until_begun("move").await;
            (machines(scenario, &scenario.bootstrap().await).await, proxy)
        } => before,
    };
    assert_eq!(before.len(), 2, "{before:?}");
    assert!(before.values().all(|(id, node)| !id.is_empty() && !node.is_empty()), "{before:?}");
    scenario.until_begun("verify").await;
    running.kill();
    running.end().await;
    costs_two_writes_for_each_copy(scenario, &traffic).await;
    left_as_the_way_back(scenario, &before).await;
    scenario.program.run(["resume", "pivot"]).await.expect_success("resume");
    assert_eq!(clusters(scenario).await, ["pivot"]);
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "", "it is still there");

    let target = scenario.client(scenario.target()).await;
    let found = transfer::find(&target, &target).await.expect("it answers");
    assert!(found.record().is_none(), "the record of the move is left: {found:?}");
    assert_eq!(machines(scenario, &target).await, before, "Machines were replaced");
    scale(scenario, &target).await;
    let after = machines(scenario, &target).await;
    let is_kept = |(name, real): (&String, &(String, String))| after.get(name) == Some(real);
    assert!(before.iter().all(is_kept), "{before:?} {after:?}");
    assert_eq!(after.len(), 3, "{after:?}");
}

/// Leads the steps that are still to begin to the bootstrap cluster by a proxy.
async fn through_proxy(scenario: &Scenario, traffic: &Traffic) -> Proxy {
    let file = scenario.path("state/runs/pivot/bootstrap.kubeconfig");
    let direct = scenario.path("direct.kubeconfig");
    std::fs::copy(&file, &direct).expect("it is there");
    let proxy = Proxy::start(Side::Source, &direct, traffic).await;
    let led = proxy.write_kubeconfig(scenario.path("from.kubeconfig"));
    std::fs::rename(led, file).expect("it can be replaced");
    proxy
}

/// In the target one creates the copy and one hands it over; in the source what has finalizers is
/// paused. Nothing is deleted.
async fn costs_two_writes_for_each_copy(scenario: &Scenario, traffic: &Traffic) {
    let writes = traffic.writes();
    let is_of_move = |write: &&Write| {
        let call = &write.call;
        call.is_write() && !call.is_lease() && is_of_cluster(call)
    };
    let writes: Vec<&Write> = writes.iter().filter(is_of_move).collect();
    let count = |side: Side, method: &str| {
        let is_it = |write: &&&Write| write.call.side == side && write.call.method == method;
        writes.iter().filter(is_it).count()
    };
    let copies = count(Side::Target, "POST");
    let (updates, pauses) = (count(Side::Target, "PATCH"), count(Side::Source, "PATCH"));
    assert!(copies >= 10, "{copies} copies");
    assert!(updates <= copies + 4, "{copies} copies, {updates} patches");
    assert!(pauses <= copies, "{copies} copies, {pauses} pauses");
    assert!(writes.iter().all(|write| write.call.method != "DELETE"), "something was deleted");
    let journal = std::fs::read_to_string(scenario.path("state/runs/pivot/journal.jsonl"));
    let kept = format!("{copies} objects; the bootstrap cluster keeps them, paused");
    assert!(journal.expect("there is one").contains(&kept), "it does not say {kept:?}");
}

/// The objects of the cluster, and none of providers.
fn is_of_cluster(call: &Call) -> bool {
    let is_kind = call.path.contains("cluster.x-k8s.io/") && !call.path.contains("clusterctl");
    is_kind || call.path.contains("/namespaces/default/")
}

/// The bootstrap cluster keeps everything, paused, and `abort` does not take it for what a run has
/// left.
async fn left_as_the_way_back(scenario: &Scenario, before: &Machines) {
    let bootstrap = scenario.bootstrap().await;
    assert_eq!(&machines(scenario, &bootstrap).await, before);
    let left = scenario.list(&bootstrap, CORE, "Cluster").await;
    let is_paused = |cluster: &Object| cluster.value()["spec"]["paused"] == true;
    assert!(left.len() == 1 && left.iter().all(is_paused), "{left:?}");
    let aborted = scenario.program.run(["abort", "pivot", "--yes"]).await;
    let refused = ["has left Cluster default/pivot in the bootstrap cluster `pivot-bootstrap`"];
    expect(&aborted, exit::REFUSED, &refused);
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
