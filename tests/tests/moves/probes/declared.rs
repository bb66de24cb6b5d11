//! The probes of the plugins of this repository, and what they make of real objects.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_plugin_api::Probe;
use kubectl_pivot_tests::plugins::{User, library};
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::json;

use super::{Scenario, deployments, exit, outcomes};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .thorough("the_docker_plugin_waits_for_its_controllers_and_clusters", docker)
        .thorough("moments_and_clusters_of_the_future_are_left_out", future)
        .case("plugin_check_finds_what_is_no_cel", check)
}

async fn docker(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let user = User::with(&["docker"]).await;
    let program = user.program();
    let planned = program.run(scenario.args(&["--dry-run", "-o", "json"])).await;
    let report = planned.clone().expect_success("the dry-run").json();
    let expected = [
        "docker-controller-bootstrap notYet",
        "dockercluster-provisioned-bootstrap notYet",
        "devcluster-provisioned-bootstrap held",
        "docker-controller-target notYet",
    ];
    assert_eq!(outcomes(&report), expected, "{planned}");

    let pair = scenario.proxied_pair.pair();
    for plane in [&pair.source, &pair.target] {
        run_controller(plane).await;
    }
    provision(&pair.source, &scenario.tag).await;
    let traffic = scenario.proxied_pair.traffic();
    let after_move = |call: &Call| {
        call.side == Side::Target && call.is_watch() && call.is_about("dockerclusters")
    };
    traffic.rule(Rule::when(after_move, Fault::HoldBefore).times(1));
    let mut running = program.start(scenario.args(&["-o", "json"]));
    tokio::select! {
        outcome = running.end() => panic!("the target is not waited for: {outcome}"),
        () = traffic.held() => {}
    }
    traffic.release();
    // A move copies no status; the controllers of the target write it anew.
    provision(&pair.target, &scenario.tag).await;
    let moved = running.end().await.expect_success("the move");
    let expected = [
        "docker-controller-bootstrap held",
        "dockercluster-provisioned-bootstrap held",
        "devcluster-provisioned-bootstrap held",
        "docker-controller-target held",
        "docker-controller-target held",
        "dockercluster-provisioned-target held",
        "devcluster-provisioned-target held",
    ];
    assert_eq!(outcomes(&moved.json()), expected, "{moved}");
    scenario.check_moved(&moved).await;
    for plane in [&pair.source, &pair.target] {
        stop_controller(plane).await;
    }
    scenario.end().await;
}

/// Fields that the provider's controller writes once a cluster has its infrastructure.
async fn provision(plane: &Plane, namespace: &str) {
    let api_version = "infrastructure.cluster.x-k8s.io/v1beta2";
    let kind = ResourceType::new(api_version, "DockerCluster", "dockerclusters", true);
    let listed = plane.client().list(&kind, Some(namespace)).await;
    let status = json!({"status": {"initialization": {"provisioned": true}}});
    for object in listed.expect("DockerClusters can be listed") {
        let place = (Some(namespace), object.name());
        let options = WriteOptions::manager("manager").status();
        let patch = (PatchKind::Merge, &status);
        let patched = plane.client().patch(&kind, place, patch, &options).await;
        patched.expect("the status can be written");
    }
}

const CONTROLLER: &str = "capd-controller-manager";

/// The Deployment of the provider, as its controller leaves it.
async fn run_controller(plane: &Plane) {
    let labels = json!({"control-plane": "controller-manager"});
    let mut object = Object::new(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": CONTROLLER, "namespace": "capd-system"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "manager", "image": "none"}]}}},
    }));
    let options = WriteOptions::default();
    plane.client().create(&deployments(), &object, &options).await.expect("a valid Deployment");
    let conditions = json!([{"type": "Available", "status": "True"}]);
    object.value_mut()["status"] = json!({"conditions": conditions});
    let updated = plane.client().update(&deployments(), &object, &options.status()).await;
    updated.expect("it is there");
}

async fn stop_controller(plane: &Plane) {
    let place = (Some("capd-system"), CONTROLLER);
    let found = plane.client().get(&deployments(), place.0, place.1).await;
    let found = found.expect("it can be read").expect("it was created");
    let deleted = plane.client().delete(&deployments(), place.0, place.1, found.uid()).await;
    deleted.expect("it can be deleted");
}

async fn future(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let probe = |name: &str, field: &str, value| {
        let probe = Probe { name: name.to_owned(), ..scenario.probe() };
        let mut probe = serde_json::to_value(probe).expect("plain data");
        probe[field] = value;
        probe
    };
    let probes = json!([
        probe("moon", "cluster", json!("moon")),
        probe("tomorrow", "stages", json!(["day-after-tomorrow"])),
    ]);
    let program = scenario.user.program().env("PROBING_PROBES", &probes.to_string());
    let moved = program.run(scenario.args(&["-o", "json"])).await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["tomorrow skipped", "moon skipped"], "{moved}");
    scenario.check_moved(&moved).await;
    scenario.end().await;
}

async fn check(proxied_pair: Arc<ProxiedPair>) {
    let scenario = Scenario::begin(proxied_pair).await;
    let library = kubectl_pivot_tests::plugins::probing().display().to_string();
    let wrong = Probe { expression: "self.".to_owned(), ..scenario.probe() };
    let foreign = Probe {
        name: "foreign".to_owned(),
        expression: "object.status.ready".to_owned(),
        ..scenario.probe()
    };
    let checked = scenario.program(&[wrong, foreign]).run(["plugin", "check", &library]).await;
    assert_eq!(checked.code, Some(exit::NOT_VERIFIED), "{checked}");
    for part in [
        "the expression of the probe `controller`: it is not valid CEL: 1:",
        "the expression of the probe `foreign` can never be true: ",
    ] {
        assert!(checked.stdout.contains(part), "`{part}` is not said: {checked}");
    }
    for name in ["docker", "in-memory", "cilium"] {
        let path = self::library(name).display().to_string();
        let checked = scenario.user.run(&["plugin", "check", &path]).await;
        assert_eq!(checked.code, Some(exit::OK), "{checked}");
    }
    scenario.end().await;
}
