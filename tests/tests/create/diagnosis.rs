//! The archive that explains a failure: it has what is needed, and no secrets.

use std::path::Path;
use std::process::Command;

use capi::{Object, ResourceType};
use cluster::WriteOptions;
use kubectl_pivot_tests::program::Outcome;
use serde_json::json;

use super::fixture::{Scenario, text};

const SECRET: &str = "hunter2-hunter2";

/// A failure has left an archive, and says where.
pub fn check_left_by_failure(scenario: &Scenario, outcome: &Outcome) {
    let archive = scenario.path("state/runs/pivot/diagnosis.tar.gz");
    assert!(outcome.says(&format!("without secrets: {}", text(&archive))), "{outcome}");
    check(&archive);
}

/// `diagnose` writes one too, without what a Secret or a machine's configuration holds.
pub async fn check_written(scenario: &Scenario) {
    let bootstrap = scenario.bootstrap().await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "s", "namespace": "default"}, "stringData": {"value": SECRET}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "i",
                "env": [{"name": "API_TOKEN", "value": SECRET}]}],
            "automountServiceAccountToken": false}});
    for (kind, object) in [
        (ResourceType::core("Secret", "secrets"), secret),
        (ResourceType::core("Pod", "pods"), pod),
    ] {
        let options = WriteOptions::default();
        bootstrap.create(&kind, &Object::new(object), &options).await.expect("it can be made");
    }
    let archive = text(&scenario.path("for-support.tar.gz"));
    let outcome = scenario.program.run(["diagnose", "pivot", "--archive", &archive]).await;
    assert!(outcome.expect_success("diagnose").says(&archive));
    check(Path::new(&archive));
    let unknown = scenario.program.run(["diagnose", "other"]).await;
    assert!(unknown.says("there is no run `other`"), "{unknown}");
}

fn check(archive: &Path) {
    let unpacked = tempfile::tempdir().expect("a folder");
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(archive).arg("-C").arg(unpacked.path());
    assert!(tar.status().is_ok_and(|status| status.success()), "{}", archive.display());
    let file = |name: &str| {
        let text = std::fs::read_to_string(unpacked.path().join(name));
        text.unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    assert!(file("run/journal.jsonl").contains("\"step\":\"init-bootstrap\""));
    assert!(file("run/logs/init-bootstrap.log").contains("clusterctl init"));
    assert!(file("versions.txt").contains("clusterctl 1."));
    assert!(file("bootstrap/objects/deployments.apps.yaml").contains("kind: Deployment"));
    assert!(file("bootstrap/version.txt").starts_with('v'));
    assert!(file("target/absent.txt").contains("no kubeconfig"));
    let found = Command::new("grep").args(["-r", "-l", SECRET]).arg(unpacked.path()).output();
    assert_eq!(String::from_utf8_lossy(&found.expect("grep").stdout), "");
}
