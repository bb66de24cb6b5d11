//! With the real managers of Cluster API in both clusters: who moves, and who manages afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_tests::crew::{Crew, wait_for_provider_port};
use kubectl_pivot_tests::parts;
use kubectl_pivot_tests::repository;
use kubectl_pivot_tests::understudy::{Act, Understudy};
use sandbox::{ControllersOptions, ManagerHost};
use serde_json::{Value, json};
use support::causes::in_one_line;

use super::stage::{Scene, Stage, text};
use super::whole::clusters;

const CORE: &str = "cluster.x-k8s.io/v1beta2";

/// The machines behind Machines: by name, provider id and Node.
type Machines = BTreeMap<String, (String, String)>;

pub async fn real_controllers_of_the_target_take_over(stage: Arc<Stage>) {
    wait_for_provider_port().await;
    let mut scene = stage.scene().await;
    let bootstrap = scene.path("state/runs/pivot/bootstrap.kubeconfig");
    let host = vec![bootstrap, scene.target().to_owned()];
    let controllers = ControllersOptions { program: scene.program.path().to_owned() };
    let parts = parts::options();
    let prepared = ManagerHost::prepare(&controllers, &parts, host.clone(), scene.dir.path()).await;
    let prepared = prepared.unwrap_or_else(|error| panic!("{}", in_one_line(&error)));
    let folder = scene.path("repository");
    scene.config =
        repository::write_with_webhooks(&folder, &stage.parts().crds, prepared.webhooks()).await;
    // It plays the kubelet that reports Deployments; everything else is the managers' own work.
    let _understudy = Understudy::begin(scene.part(|part| part.without = vec![Act::Clusters]));
    let mut crew = Crew::begin(prepared, host);
    tokio::select! {
        () = pivot_and_scale(&scene) => {}
        error = crew.failure() => panic!("the managers cannot be started: {error}"),
    }
}

async fn pivot_and_scale(scene: &Scene) {
    // The in-memory provider's own clusters cannot be management clusters: they have no CRDs. So
    // the target is a control plane of its own.
    let target = text(scene.target());
    let flags = ["--cni", "none", "--to-kubeconfig", &target, "--timeout", "280"];
    let mut running = scene.program.start(scene.create(&flags));
    let before = tokio::select! {
        outcome = running.end() => panic!("it has ended before the move: {outcome}"),
        before = async {
            scene.until_begun("move").await;
            machines(scene, &scene.bootstrap().await).await
        } => before,
    };
    assert_eq!(before.len(), 2, "{before:?}");
    assert!(before.values().all(|(id, node)| !id.is_empty() && !node.is_empty()), "{before:?}");
    running.end().await.expect_success("create");
    assert_eq!(clusters(scene).await, ["pivot"]);
    assert_eq!(scene.kind().run(["get", "clusters"]).await.stdout, "", "it is still there");

    let target = scene.client(scene.target()).await;
    assert_eq!(machines(scene, &target).await, before, "Machines were replaced");
    scale(scene, &target).await;
    let after = machines(scene, &target).await;
    let is_kept = |(name, real): (&String, &(String, String))| after.get(name) == Some(real);
    assert!(before.iter().all(is_kept), "{before:?} {after:?}");
    assert_eq!(after.len(), 3, "{after:?}");
}

/// From one worker to two, by the controllers of the target.
async fn scale(scene: &Scene, target: &Client) {
    let kind = ResourceType::new(CORE, "MachineDeployment", "machinedeployments", true);
    let workers = scene.list(target, CORE, "MachineDeployment").await;
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

async fn machines(scene: &Scene, client: &Client) -> Machines {
    let text = |machine: &Object, path: &str| {
        let found = machine.value().pointer(path).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    let machines = scene.list(client, CORE, "Machine").await;
    let machines = machines.iter().map(|machine| {
        let real = (text(machine, "/spec/providerID"), text(machine, "/status/nodeRef/name"));
        (machine.name().to_owned(), real)
    });
    machines.collect()
}
