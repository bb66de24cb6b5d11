//! A network that is refused, or whose pods never get ready, and machines without nodes.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::simulated_controllers::{Behaviour, SimulatedControllers};
use serde_json::{Value, json};

use super::failures::expect;
use super::fixture::{Fixture, text};
use super::whole::clusters;

pub async fn told(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let simulated_controllers =
        SimulatedControllers::begin(scenario.part(|part| part.without = vec![Behaviour::Nodes]));
    let manifest = scenario.path("network.json");
    let create = |more: &[&str]| {
        let network = ["--cni", "none", "--cni-manifest", &text(&manifest)];
        scenario.create(&[&network[..], more].concat())
    };
    std::fs::write(&manifest, daemon_set("another").to_string()).expect("write");
    let outcome = scenario.program.run(create(&[])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `network` failed",
            "DaemonSet kube-system/net in the target cluster",
            "`selector` does not match template `labels`",
            "or from your file",
            "kubectl pivot resume pivot",
        ],
    );
    std::fs::write(&manifest, daemon_set("net").to_string()).expect("write");
    let target = scenario.client(scenario.target()).await;
    pod_without_image(&target).await;
    scenario.stop_after("network", create(&[])).await;
    let outcome = scenario.program.run(create(&["--timeout", "2"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `nodes` failed",
            "timed out after 2 s waiting until every machine is a Ready node",
            "0 of 2 nodes are Ready",
            "default/pivot-0: its Node has not joined yet",
            "Pod kube-system/net-x in the target is not ready: ImagePullBackOff no such image",
            "kubectl pivot resume pivot",
        ],
    );
    assert_eq!(clusters(&scenario).await, Vec::<String>::new(), "nothing was moved");
    // A cluster that holds objects is not removed.
    let outcome = scenario.program.run(["abort", "pivot", "--yes"]).await;
    expect(
        &outcome,
        exit::REFUSED,
        &["the bootstrap cluster `pivot-bootstrap` holds", "default/pivot"],
    );
    let left = scenario.kind().run(["get", "clusters"]).await;
    assert_eq!(left.stdout, "pivot-bootstrap\n");
    drop(simulated_controllers);
    let _simulated_controllers = scenario.simulated_controllers();
    let more = ["resume", "pivot", "--timeout", "120"];
    scenario.program.run(more).await.expect_success("with nodes and more time");
    assert_eq!(clusters(&scenario).await, ["pivot"]);
}

fn daemon_set(selected: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "net", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": {"app": selected}},
            "template": {
                "metadata": {"labels": {"app": "net"}},
                "spec": {"containers": [{"name": "net", "image": "images.invalid/net"}]},
            },
        },
    })
}

/// As a kubelet leaves a pod whose image cannot be pulled, among many that wait for a node.
async fn pod_without_image(target: &Client) {
    let kind = ResourceType::core("Pod", "pods");
    let pod = |name: &str, node: Value| {
        Object::new(json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"nodeName": node,
                "containers": [{"name": "net", "image": "images.invalid/net"}]}}))
    };
    let options = WriteOptions::default();
    for index in 0..8 {
        let waiting = pod(&format!("another-{index}"), Value::Null);
        target.create(&kind, &waiting, &options).await.expect("pods can be made");
    }
    let broken = pod("net-x", json!("a-node"));
    target.create(&kind, &broken, &options).await.expect("pods can be made");
    let status = json!({"status": {"phase": "Pending", "containerStatuses": [{
        "name": "net", "image": "images.invalid/net", "imageID": "", "ready": false,
        "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
    }]}});
    let name = (Some("kube-system"), "net-x");
    let options = options.status();
    let patched = target.patch(&kind, name, (PatchKind::Merge, &status), &options).await;
    patched.expect("pods have a status");
}
