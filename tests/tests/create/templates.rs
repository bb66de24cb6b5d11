//! A cluster by the template of its provider, which clusterctl fills in.

use std::sync::Arc;

use kubectl_pivot_tests::repository;
use serde_json::json;

use super::stage::Stage;
use super::whole::clusters;

const FLAVOUR: &str = "simulated";

pub async fn makes_the_cluster(stage: Arc<Stage>) {
    let rendered = stage.user().run(&["render", "pivot", "-i", "in-memory"]).await;
    let text = rendered.expect_success("render").stdout;
    let text = text.replace("v1.33.0", "${KUBERNETES_VERSION}");
    stage.write_template(FLAVOUR, &format!("{text}\n---\n{}\n", secret()));
    let mut scene = stage.scene().await;
    scene.program = scene
        .program
        .clone()
        .env("HOSTING_TEMPLATE", FLAVOUR)
        .env("HOSTING_TEMPLATE_VERSION", repository::VERSION);
    let outline = scene.program.run(scene.create(&["--dry-run"])).await.expect_success("dry-run");
    assert!(outline.stdout.contains("hosting: patched"), "{outline}");
    assert!(!outline.says("s3cret-of-hosting"), "{outline}");
    let ignored = scene.program.run(scene.create(&["--worker-replicas", "2"])).await;
    assert_eq!(ignored.code, Some(2), "{ignored}");
    assert!(ignored.says("ignores --worker-replicas"), "{ignored}");

    let _understudy = scene.understudy();
    let more = ["--kubernetes-version", "v1.34.0"];
    scene.program.run(scene.create(&more)).await.expect_success("create");
    assert_eq!(clusters(&scene).await, ["pivot"]);
    let target = scene.client(scene.target()).await;
    let found = scene.list(&target, "cluster.x-k8s.io/v1beta2", "Cluster").await;
    assert_eq!(found[0].label("hosting"), Some("patched"));
    let api_version = "controlplane.cluster.x-k8s.io/v1beta2";
    let found = scene.list(&target, api_version, "KubeadmControlPlane").await;
    assert_eq!(found[0].value()["spec"]["version"], "v1.34.0");
    for file in ["journal.jsonl", "pivot.yaml"] {
        let text = std::fs::read_to_string(scene.path("state/runs/pivot").join(file));
        assert!(!text.expect("there is one").contains("s3cret-of-hosting"), "{file}");
    }
}

/// With a value that only the environment of clusterctl has.
fn secret() -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"},
        "stringData": {"password": "${HOSTING_SECRET}"}})
}
