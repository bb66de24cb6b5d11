//! Readiness probes of plugins in a run of `create`; and `verify`, which waits for controllers too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef, PatchKind, WriteOptions};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::simulated_controllers::{Behaviour, SimulatedControllers};
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;

use super::fixture::{Fixture, Scenario, text};

pub fn add(suite: Suite<Fixture>) -> Suite<Fixture> {
    suite
        .thorough("a_failing_probe_is_reported_and_can_be_left_out", left_out)
        .thorough("the_probes_of_the_network_are_awaited", network)
}

/// A probe that never holds is told; the run goes on without it.
async fn left_out(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let simulated_controllers = SimulatedControllers::begin(
        scenario.part(|part| part.without = vec![Behaviour::Infrastructure]),
    );
    let unknown = scenario.program.run(scenario.create(&["--skip-probes", "devcluster"])).await;
    assert_eq!(unknown.code, Some(exit::USAGE.into()), "{unknown}");
    assert!(unknown.stderr.contains("no plugin or probe is named `devcluster`"), "{unknown}");
    assert!(unknown.stderr.contains("did you mean devcluster-provisioned-"), "{unknown}");
    let outcome =
        scenario.program.run(scenario.create(&["--keep-bootstrap", "--timeout", "30"])).await;
    assert_eq!(outcome.code, Some(exit::UNFINISHED.into()), "{outcome}");
    for told in [
        "the step `control-plane` failed",
        "probe in-memory/devcluster-provisioned-bootstrap did not hold within 30 s in the \
         bootstrap cluster: DevCluster default/pivot",
        "Waiting for the DevCluster to be provisioned",
        "leave them out with --skip-probes in-memory/devcluster-provisioned-bootstrap",
        "kubectl pivot resume pivot",
    ] {
        assert!(outcome.stderr.contains(told), "{told:?}: {outcome}");
    }
    let names = "devcluster-provisioned-bootstrap,in-memory/devcluster-provisioned-target";
    let resume = ["resume", "pivot", "--timeout", "120", "--skip-probes", names];
    let outcome = scenario.program.run(resume).await.expect_success("resume");
    let told = "probe in-memory/devcluster-provisioned-target was left out: --skip-probes";
    assert!(outcome.stderr.contains(told), "{outcome}");
    drop(simulated_controllers);
    verify_waits(&scenario).await;
}

/// Nobody else writes the status now.
async fn verify_waits(scenario: &Scenario) {
    let bootstrap = text(&scenario.path("state/runs/pivot/bootstrap.kubeconfig"));
    let target = text(scenario.target());
    let verify = |timeout: &str| {
        let between = ["verify", "--kubeconfig", &bootstrap, "--to-kubeconfig", &target];
        let how = ["-n", "default", "--settle", "0", "--timeout", timeout];
        [&between[..], &how[..]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    scenario.program.run(verify("0")).await.expect_success("verify");
    set_available(scenario, "False").await;
    for (timeout, least) in [("0", 0), ("3", 3)] {
        let began = Instant::now();
        let outcome = scenario.program.run(verify(timeout)).await;
        assert_eq!(outcome.code, Some(exit::NOT_VERIFIED.into()), "{outcome}");
        assert!(outcome.stdout.contains("it is not Available"), "{outcome}");
        assert!(began.elapsed() >= Duration::from_secs(least), "{outcome}");
    }
    let mut running = scenario.program.start(verify("120"));
    running.until_said("Available fails").await;
    set_available(scenario, "True").await;
    let outcome = running.end().await.expect_success("verify");
    let told = "Available fails: Cluster default/pivot: it is not Available";
    assert!(outcome.stderr.contains(told), "{outcome}");
    // A user need not wait.
    set_available(scenario, "False").await;
    let mut running = scenario.program.start(verify("120"));
    running.until_said("Available fails").await;
    running.interrupt();
    let outcome = running.end().await;
    assert_eq!(outcome.code, Some(exit::INTERRUPTED.into()), "{outcome}");
}

async fn set_available(scenario: &Scenario, status: &str) {
    let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    let client = target(scenario).await;
    let cluster = client.get(&kind, Some("default"), "pivot").await.expect("it answers");
    let mut status_now = cluster.expect("it has moved").value()["status"].clone();
    let conditions = status_now["conditions"].as_array_mut().expect("a list");
    let available = conditions.iter_mut().find(|condition| condition["type"] == "Available");
    available.expect("the condition")["status"] = json!(status);
    let patch = json!({"status": {"conditions": status_now["conditions"]}});
    let options = WriteOptions::manager("controller").status();
    let place = (Some("default"), "pivot");
    let patched = client.patch(&kind, place, (PatchKind::Merge, &patch), &options).await;
    patched.expect("a valid status");
}

async fn target(scenario: &Scenario) -> Client {
    let kubeconfig = KubeconfigRef::file(scenario.target());
    Client::connect("target", &kubeconfig).await.expect("a kubeconfig")
}

async fn network(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = SimulatedControllers::begin(
        scenario.part(|part| part.without = vec![Behaviour::TargetNodes]),
    );
    let manifest = scenario.path("network.yaml");
    let object = "apiVersion: v1\nkind: Namespace\nmetadata: {name: my-network}\n";
    std::fs::write(&manifest, object).expect("written");
    let create =
        scenario.create(&["--cni", "none", "--cni-manifest", &text(&manifest), "-o", "json"]);
    let mut running = scenario.program.start(create);
    scenario.until_begun("nodes").await;
    // All Machines have Nodes, but the network is not ready as long as the target has no Ready
    // node.
    running.until_said("Waiting for the nodes to be Ready").await;
    let journal = std::fs::read_to_string(scenario.path("state/runs/pivot/journal.jsonl"));
    let is_done = r#""event":"done","step":"nodes""#;
    assert!(!journal.expect("a journal").contains(is_done), "the probe was not awaited");
    let client = target(&scenario).await;
    let nodes = ResourceType::new("v1", "Node", "nodes", false);
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "pivot-0"}});
    let options = WriteOptions::default();
    client.create(&nodes, &Object::new(node), &options).await.expect("a valid Node");
    let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let patch = (PatchKind::Merge, &ready);
    let patched = client.patch(&nodes, (None, "pivot-0"), patch, &options.status()).await;
    patched.expect("a valid status");
    let report = running.end().await.expect_success("create").json();
    let steps = report["steps"].as_array().expect("a list");
    let summary = |name: &str| {
        let step = steps.iter().find(|step| step["step"] == name);
        step.and_then(|step| step["summary"].as_str()).unwrap_or_default().to_owned()
    };
    assert_eq!(summary("nodes"), "2 nodes, 1 probe holds");
    let verified = summary("verify");
    assert!(verified.starts_with("2 probes hold, no Machine was replaced"), "{verified}");
}
