//! A target that does not become a management cluster.

use std::net::TcpListener;
use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{Client, WriteOptions};
use kubectl_pivot::commands::exit;
use serde_json::json;

use super::failures::{expect, script};
use super::fixture::{Fixture, Scenario};
use super::whole::clusters;

pub async fn providers_that_do_not_get_into_the_target_are_reported(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = scenario.simulated_controllers();
    let fails = clusterctl_but(&scenario, "fails", "echo 'Error: no such release' >&2; exit 1");
    let outcome = scenario.program.run(scenario.create(&["--clusterctl", &fails])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `init-target` failed",
            "failed with exit code 1",
            "| Error: no such release",
            "target.kubeconfig",
            "init-target.log",
            "kubectl pivot resume pivot",
        ],
    );
    let rubbish = clusterctl_but(&scenario, "rubbish", "echo 'Welcome to the casino'; exit 0");
    let outcome = scenario.program.run(scenario.create(&["--clusterctl", &rubbish])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `init-target` failed",
            "clusterctl init succeeded, but the target cluster has no CoreProvider `cluster-api`",
            "Welcome to the casino",
            &rubbish,
            "init-target.log",
        ],
    );
    let hangs = clusterctl_but(&scenario, "hangs", "echo 'Fetching providers'; exec sleep 1000");
    let arguments = scenario.create(&["--clusterctl", &hangs, "--timeout", "1"]);
    let outcome = scenario.program.run(arguments).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `init-target` failed",
            "did not end within 11 s and was stopped",
            "wait longer with --timeout",
            "kubectl pivot resume pivot",
        ],
    );

    let target = scenario.client(scenario.target()).await;
    let silence = Silence::begin(&target).await;
    scenario.stop_in("target-providers", scenario.create(&[])).await;
    let outcome = scenario.program.run(scenario.create(&["--timeout", "2"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `target-providers` failed",
            "timed out after 2 s waiting until the providers and their webhooks accept the objects",
            "Cluster default/pivot in the target cluster",
            "failed calling webhook \"silent.tests.kubectl-pivot.io\"",
            "kubectl pivot resume pivot",
        ],
    );
    assert_eq!(clusters(&scenario).await, Vec::<String>::new(), "nothing was moved");
    silence.end(&target).await;
    scenario.program.run(scenario.create(&[])).await.expect_success("without the faults");
    assert_eq!(clusters(&scenario).await, ["pivot"]);
}

/// clusterctl itself, but for `init` in the target.
fn clusterctl_but(scenario: &Scenario, name: &str, body: &str) -> String {
    let real = scenario.clusterctl.display();
    let words = "'init '*target.kubeconfig*";
    script(scenario, name, &format!("case \"$*\" in {words}) {body} ;; esac\nexec {real} \"$@\""))
}

/// A webhook that is connected to and never answers.
struct Silence(#[expect(dead_code, reason = "held so that it listens")] TcpListener);

impl Silence {
    async fn begin(target: &Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let configuration = json!({
            "apiVersion": Self::kind().api_version(), "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "silent"},
            "webhooks": [{
                "name": "silent.tests.kubectl-pivot.io",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 1,
                "clientConfig": {"url": format!("https://127.0.0.1:{port}/validate")},
                "rules": [{"apiGroups": ["cluster.x-k8s.io"], "apiVersions": ["*"],
                    "operations": ["*"], "resources": ["clusters"]}],
            }],
        });
        let options = WriteOptions::default();
        let created = target.create(&Self::kind(), &Object::new(configuration), &options).await;
        created.expect("webhooks can be registered");
        Self(listener)
    }

    async fn end(self, target: &Client) {
        let found = target.get(&Self::kind(), None, "silent").await.expect("it can be read");
        let uid = found.expect("it is there").uid().to_owned();
        target.delete(&Self::kind(), None, "silent", &uid).await.expect("it can be deleted");
    }

    fn kind() -> ResourceType {
        ResourceType::new(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
            false,
        )
    }
}
