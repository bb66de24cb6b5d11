//! A cluster by the template of its provider, which clusterctl fills in.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use kubectl_pivot_tests::repository;
use serde_json::json;

use super::failures::script;
use super::fixture::{Fixture, Scenario, text};
use super::whole::clusters;

const FLAVOUR: &str = "simulated";

pub async fn makes_the_cluster(fixture: Arc<Fixture>) {
    let render = ["render", "pivot", "-i", "in-memory", "--kubernetes-version", "v1.33.0"];
    let rendered = fixture.user().run(&render).await;
    let text = rendered.expect_success("render").stdout;
    let text = text.replace("v1.33.0", "${KUBERNETES_VERSION}");
    fixture.write_template(FLAVOUR, &format!("{text}\n---\n{}\n", secret()));
    let mut scenario = fixture.scenario().await;
    scenario.program = scenario
        .program
        .clone()
        .env("HOSTING_TEMPLATE", FLAVOUR)
        .env("HOSTING_TEMPLATE_VERSION", repository::VERSION);
    let outline =
        scenario.program.run(scenario.create(&["--dry-run"])).await.expect_success("dry-run");
    assert!(outline.stdout.contains("hosting: patched"), "{outline}");
    assert!(!outline.says("s3cret-of-hosting"), "{outline}");
    let ignored = scenario.program.run(scenario.create(&["--worker-replicas", "2"])).await;
    assert_eq!(ignored.code, Some(2), "{ignored}");
    assert!(ignored.says("ignores --worker-replicas"), "{ignored}");

    let _simulated_controllers = scenario.simulated_controllers();
    let more = ["--kubernetes-version", "v1.34.0"];
    scenario.stop_in("nodes", scenario.create(&more)).await;
    let kept = scenario.path("state/runs/pivot/template.json");
    let mode = std::fs::metadata(&kept).expect("it is kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The cluster is applied: nothing of the provider's repository is needed any more.
    let logs = scenario.path("clusterctl.log");
    let resumed =
        scenario.program.clone().env("KUBECTL_PIVOT_CLUSTERCTL", &logged(&scenario, &logs));
    fixture.write_template(FLAVOUR, "something: else\n");
    resumed.run(["resume", "pivot"]).await.expect_success("resume");
    let calls = std::fs::read_to_string(&logs).expect("clusterctl was called");
    assert!(calls.contains("version") && !calls.contains("generate"), "{calls}");
    assert_eq!(clusters(&scenario).await, ["pivot"]);
    let target = scenario.client(scenario.target()).await;
    let found = scenario.list(&target, "cluster.x-k8s.io/v1beta2", "Cluster").await;
    assert_eq!(found[0].label("hosting"), Some("patched"));
    let api_version = "controlplane.cluster.x-k8s.io/v1beta2";
    let found = scenario.list(&target, api_version, "KubeadmControlPlane").await;
    assert_eq!(found[0].value()["spec"]["version"], "v1.34.0");
    for file in ["journal.jsonl", "pivot.yaml", "template.json"] {
        let text = std::fs::read_to_string(scenario.path("state/runs/pivot").join(file));
        assert!(!text.expect("there is one").contains("s3cret-of-hosting"), "{file}");
    }
}

/// A clusterctl that writes its arguments down.
fn logged(scenario: &Scenario, log: &Path) -> String {
    let body = format!("echo \"$*\" >> {}\nexec {} \"$@\"", text(log), text(&scenario.clusterctl));
    script(scenario, "clusterctl-logged", &body)
}

/// With a value that only the environment of clusterctl has.
fn secret() -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"},
        "stringData": {"password": "${HOSTING_SECRET}"}})
}
