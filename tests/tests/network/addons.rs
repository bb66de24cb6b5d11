//! Add-ons of an infrastructure plugin, after the network: one after the other, each awaited.

use std::sync::Arc;

use capi::ResourceType;
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot::commands::exit;
use serde_json::{Value, json};

use super::stage::{Scene, Stage, expect, until};

const NAMESPACE: &str = "kube-system";

/// A ConfigMap that is ready when somebody says so, and a chart.
fn addons(stage: &Stage, version: &str) -> Value {
    let probe = json!({
        "name": "cloud-ready", "version": "v1", "kind": "ConfigMap", "namespace": NAMESPACE,
        "object": "cloud", "expression": "has(self.data) && self.data.ready == 'yes'",
        "waiting": "Waiting for the cloud",
    });
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "cloud", "namespace": NAMESPACE}});
    json!({"addons": [
        {"name": "cloud", "plan": {"method": "manifests", "objects": [object]}, "probes": [probe]},
        {"name": "storage", "plan": {"method": "helm-chart", "repo": stage.repository.url(),
            "chart": "flannel", "version": version, "namespace": "kube-flannel",
            "release": "flannel", "values": {"of": "storage"}}},
    ], "notes": ["the cloud is simulated"]})
}

fn arguments(scene: &Scene<'_>) -> Vec<String> {
    scene.create(&["--cni", "kindnet"])
}

pub async fn one_after_the_other(stage: Arc<Stage>) {
    let mut scene = stage.scene("addons");
    let config_map = ResourceType::core("ConfigMap", "configmaps");
    let (_, target) = stage.clients().await;
    let with = |scene: &mut Scene<'_>, addons: &Value| {
        scene.program = scene.program.clone().env("HOSTING_ADDONS", &addons.to_string());
    };
    with(&mut scene, &addons(&stage, "v9.9.9"));
    let outcome = scene.program.run(arguments(&scene)).await;
    expect(
        &outcome,
        exit::REFUSED,
        &["the add-on storage", "helm show chart", "nothing was created"],
    );

    let wanted = addons(&stage, "v0.0.1");
    with(&mut scene, &wanted);
    let outline = [arguments(&scene), vec!["--dry-run".to_owned()]].concat();
    let outline = scene.program.run(&outline).await.expect_success("dry-run");
    for part in
        ["cloud: applies objects", "storage: installs a chart", "in-memory/cloud-ready (addons)"]
    {
        assert!(outline.stdout.contains(part), "{part}: {outline}");
    }

    let mut run = scene.program.start(arguments(&scene));
    let is_there = async {
        while stage.find(&config_map, Some(NAMESPACE), "cloud").await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = is_there => {}
        ended = run.end() => panic!("it has ended before: {ended}"),
    }
    scene.journal(&mut run, "\"event\":\"started\",\"step\":\"addons\"").await;
    assert!(stage.history("flannel", "kube-flannel").is_empty(), "the first part is not ready");
    let ready = json!({"data": {"ready": "yes"}});
    let patch = (PatchKind::Merge, &ready);
    let name = (Some(NAMESPACE), "cloud");
    let patched = target.patch(&config_map, name, patch, &WriteOptions::default()).await;
    patched.expect("ConfigMaps can be changed");
    let line = scene.journal(&mut run, "\"event\":\"done\",\"step\":\"addons\"").await;
    run.kill();
    let ended = run.end().await;
    assert!(line.contains("cloud (1 probe holds), storage (0 probes hold)"), "{line}");
    assert!(ended.says("the cloud is simulated"), "{ended}");
    assert_eq!(stage.values("flannel", "kube-flannel").await, json!({"of": "storage"}));

    // Once more is once, and what somebody else has written stays.
    let mut again = scene.program.start(arguments(&scene));
    scene.journal(&mut again, "\"event\":\"done\",\"step\":\"addons\"").await;
    again.kill();
    let _ = again.end().await;
    assert_eq!(stage.history("flannel", "kube-flannel").len(), 1);
    let map = stage.find(&config_map, Some(NAMESPACE), "cloud").await.expect("it is there");
    assert_eq!(map.value()["data"]["ready"], "yes");
    let deleted = target.delete(&config_map, name.0, name.1, map.uid()).await;
    deleted.expect("it can be deleted");
    until(|| stage.history("cilium", NAMESPACE).is_empty().then_some(())).await;
}
