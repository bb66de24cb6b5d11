//! Add-ons of an infrastructure plugin, after the network: one after the other, each awaited.

use std::sync::Arc;

use capi::ResourceType;
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot::commands::exit;
use serde_json::{Value, json};

use super::fixture::{Fixture, Scenario, expect, until};

const NAMESPACE: &str = "kube-system";

/// A ConfigMap that is ready when somebody says so, and a chart.
fn addons(fixture: &Fixture, version: &str) -> Value {
    let probe = json!({
        "name": "cloud-ready", "version": "v1", "kind": "ConfigMap", "namespace": NAMESPACE,
        "object": "cloud", "expression": "has(self.data) && self.data.ready == 'yes'",
        "waiting": "Waiting for the cloud",
    });
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "cloud", "namespace": NAMESPACE}});
    json!({"addons": [
        {"name": "cloud", "plan": {"method": "manifests", "objects": [object]}, "probes": [probe]},
        {"name": "storage", "plan": {"method": "helm-chart", "repo": fixture.repository.url(),
            "chart": "flannel", "version": version, "namespace": "kube-flannel",
            "release": "flannel", "values": {"of": "storage"}}},
    ], "notes": ["the cloud is simulated"]})
}

/// Leaves out the probes of the provider, and not that of the add-on.
const OF_PROVIDER: &str = "in-memory-controller-bootstrap,in-memory-controller-target,\
                           devcluster-provisioned-bootstrap,devcluster-provisioned-target";

fn arguments(scenario: &Scenario<'_>) -> Vec<String> {
    let mut arguments = scenario.create(&["--cni", "kindnet"]);
    let skip = arguments.iter().position(|argument| argument == "--skip-probes");
    arguments[skip.expect("the scenario has it") + 1] = OF_PROVIDER.to_owned();
    arguments
}

pub async fn one_after_the_other(fixture: Arc<Fixture>) {
    let mut scenario = fixture.scenario("addons");
    let config_map = ResourceType::core("ConfigMap", "configmaps");
    let (_, target) = fixture.clients().await;
    let with = |scenario: &mut Scenario<'_>, addons: &Value| {
        scenario.program = scenario.program.clone().env("HOSTING_ADDONS", &addons.to_string());
    };
    with(&mut scenario, &addons(&fixture, "v9.9.9"));
    let outcome = scenario.program.run(arguments(&scenario)).await;
    expect(
        &outcome,
        exit::REFUSED,
        &["the add-on storage", "helm show chart", "nothing was created"],
    );

    let wanted = addons(&fixture, "v0.0.1");
    with(&mut scenario, &wanted);
    let outline = [arguments(&scenario), vec!["--dry-run".to_owned()]].concat();
    let outline = scenario.program.run(&outline).await.expect_success("dry-run");
    for part in
        ["cloud: applies objects", "storage: installs a chart", "in-memory/cloud-ready (addons)"]
    {
        assert!(outline.stdout.contains(part), "{part}: {outline}");
    }

    let mut run = scenario.program.start(arguments(&scenario));
    let is_there = async {
        while fixture.find(&config_map, Some(NAMESPACE), "cloud").await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = is_there => {}
        ended = run.end() => panic!("it has ended before: {ended}"),
    }
    scenario.journal(&mut run, "\"event\":\"started\",\"step\":\"addons\"").await;
    assert!(fixture.history("flannel", "kube-flannel").is_empty(), "the first part is not ready");
    let ready = json!({"data": {"ready": "yes"}});
    let patch = (PatchKind::Merge, &ready);
    let name = (Some(NAMESPACE), "cloud");
    let patched = target.patch(&config_map, name, patch, &WriteOptions::default()).await;
    patched.expect("ConfigMaps can be changed");
    let line = scenario.journal(&mut run, "\"event\":\"done\",\"step\":\"addons\"").await;
    run.kill();
    let ended = run.end().await;
    assert!(line.contains("cloud (1 probe holds), storage (0 probes hold)"), "{line}");
    assert!(ended.says("the cloud is simulated"), "{ended}");
    assert_eq!(fixture.values("flannel", "kube-flannel").await, json!({"of": "storage"}));

    // Once more is once, and what somebody else has written stays.
    let mut again = scenario.program.start(arguments(&scenario));
    scenario.journal(&mut again, "\"event\":\"done\",\"step\":\"addons\"").await;
    again.kill();
    let _ = again.end().await;
    assert_eq!(fixture.history("flannel", "kube-flannel").len(), 1);
    let map = fixture.find(&config_map, Some(NAMESPACE), "cloud").await.expect("it is there");
    assert_eq!(map.value()["data"]["ready"], "yes");
    let deleted = target.delete(&config_map, name.0, name.1, map.uid()).await;
    deleted.expect("it can be deleted");
    until(|| fixture.history("cilium", NAMESPACE).is_empty().then_some(())).await;
}
