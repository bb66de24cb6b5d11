//! Failures of each step, and the messages about them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::{Client, KubeconfigRef, WriteOptions};
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::simulated_controllers::SimulatedControllers;
use serde_json::json;

use super::diagnosis;
use super::fixture::{Fixture, Scenario, text};
use super::whole::clusters;

/// A script in the place of a program. Another process writes it, so that no child of this one has
/// it open when it is executed.
pub fn script(scenario: &Scenario, name: &str, body: &str) -> String {
    let path = scenario.path(name);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"cat > "$0" && chmod 755 "$0""#]).arg(&path).stdin(Stdio::piped());
    let mut shell = shell.spawn().expect("there is a shell");
    let mut input = shell.stdin.take().expect("it is piped");
    input.write_all(format!("#!/bin/sh\n{body}\n").as_bytes()).expect("write");
    drop(input);
    assert!(shell.wait().is_ok_and(|status| status.success()));
    text(&path)
}

/// A `kind` that is the stand-in, but for one subcommand.
pub fn kind_but(scenario: &Scenario, words: &str, body: &str) -> String {
    let real = env!("CARGO_BIN_EXE_stand-in-kind");
    script(
        scenario,
        "kind",
        &format!("case \"$*\" in {words}*) {body} ;; esac\nexec {real} \"$@\""),
    )
}

pub fn expect(outcome: &Outcome, code: u8, texts: &[&str]) {
    assert_eq!(outcome.code, Some(code.into()), "{outcome}");
    for text in texts {
        assert!(outcome.stderr.contains(text), "{text:?} is not told: {outcome}");
    }
    assert_eq!(outcome.stdout, "", "{outcome}");
}

pub async fn unusable_programs_are_reported_before_anything_is_created(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    let old = script(&scenario, "old", "echo kind v0.11.1");
    let rubbish = script(&scenario, "rubbish", "echo Usage: something else");
    let broken = script(&scenario, "broken", "echo cannot load libfoo.so >&2; exit 127");
    for (flag, program, told) in [
        ("--kind", "/no/such/kind", "/no/such/kind does not exist"),
        ("--kind", &old, "is version 0.11.1, and 0.20.0 or newer is needed"),
        ("--kind", &rubbish, "prints no version, but: Usage: something else"),
        ("--clusterctl", &broken, "cannot load libfoo.so"),
        ("--clusterctl", "/no/such", "clusterctl was not found"),
    ] {
        let outcome = scenario.program.run(scenario.create(&[flag, program])).await;
        expect(
            &outcome,
            exit::REFUSED,
            &["the step `preflight` failed", told, "nothing was created"],
        );
        assert!(!scenario.path("kind-root").exists());
    }
}

pub async fn create_validates_the_document_before_the_first_step(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    let document = scenario.path("pivot.yaml");
    let write = |spec: &str| {
        let head = "apiVersion: kubectl-pivot.io/v1alpha1\nkind: Pivot\nmetadata: {name: pivot}\n";
        std::fs::write(&document, format!("{head}{spec}")).expect("write");
    };
    let file = text(&document);
    for (spec, code, told) in [
        ("spec: {infrastructure: in-memory, workers: 3}\n", exit::USAGE, "line 4, column 35"),
        ("spec: {infrastructure: in-memory, bootstrap: minikube}\n", exit::USAGE, "minikube"),
        ("spec: {infrastructure: no-such}\n", exit::USAGE, "no-such"),
        ("spec: {}\n", exit::USAGE, "--infrastructure NAME"),
        (
            "spec: {infrastructure: in-memory, set: {worker-replicsa: 1}}\n",
            exit::USAGE,
            "worker-replicas",
        ),
    ] {
        write(spec);
        let outcome = scenario.program.run(["create", "-f", &file]).await;
        expect(&outcome, code, &[told]);
    }
    // A flag wins over the document.
    write("spec: {infrastructure: no-such, workerReplicas: 3}\n");
    let flags = ["create", "other", "-f", &file, "-i", "in-memory", "--dry-run", "-o", "json"];
    let outline = scenario.program.run(flags).await.expect_success("dry-run").json();
    assert_eq!(outline["name"], "other");
    let applied = outline["steps"][3]["applies"].as_array().expect("objects");
    let workers = applied.iter().find(|object| object["kind"] == "MachineDeployment");
    assert_eq!(workers.expect("rendered")["spec"]["replicas"], 3);
    assert!(!scenario.path("state/runs").exists());
}

pub async fn kind_fails_and_is_interrupted(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    let kind = kind_but(
        &scenario,
        "'create cluster'",
        "echo 'ERROR: failed to create cluster: port is already allocated' >&2; exit 1",
    );
    let outcome = scenario.program.run(scenario.create(&["--kind", &kind])).await;
    let log = scenario.path("state/runs/pivot/logs/bootstrap.log");
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `bootstrap` failed",
            "failed with exit code 1",
            "port is already allocated",
            &text(&log),
            "kubectl pivot resume pivot",
        ],
    );
    let other = scenario.program.run(scenario.create(&["--worker-replicas", "7"])).await;
    expect(&other, exit::REFUSED, &["a run `pivot` with other settings exists already"]);
    let status = scenario.program.run(["status", "pivot"]).await.expect_success("status");
    assert!(status.stdout.contains("✘ `kind create cluster"), "{status}");

    let here = scenario.path("here");
    let hangs =
        kind_but(&scenario, "'create cluster'", &format!("echo x > {}; sleep 1000", text(&here)));
    let mut running = scenario.program.start(["resume", "pivot", "--kind", &hangs]);
    wait_for(&here).await;
    let live = scenario.program.run(["status", "pivot", "-o", "json"]).await;
    assert_eq!(live.expect_success("status").json()["items"][0]["running"], true);
    let mut watching = scenario.program.start(["status", "pivot", "-w"]);
    running.interrupt();
    let outcome = running.end().await;
    expect(&outcome, exit::UNFINISHED, &["was stopped by you", "kubectl pivot resume pivot"]);
    let watched = watching.end().await.expect_success("status -w, which ends with the run");
    assert!(watched.stdout.contains("bootstrap"), "{watched}");

    // Names of runs are names.
    for words in [["status", "../runs/pivot"], ["resume", "../runs/pivot"]] {
        let outcome = scenario.program.run(words).await;
        assert_ne!(outcome.code, Some(0), "{outcome}");
        assert!(outcome.says("../runs/pivot"), "{outcome}");
    }
    // Without a yes nothing is removed; with it the run is forgotten.
    let outcome = scenario.program.run(["abort", "pivot"]).await;
    expect(&outcome, exit::REFUSED, &["not confirmed"]);
    scenario.program.run(["abort", "pivot", "--yes"]).await.expect_success("abort");
    let outcome = scenario.program.run(["resume", "pivot"]).await;
    expect(&outcome, exit::NOTHING_IN_SCOPE, &["there is no run `pivot` on this machine"]);
}

pub async fn wait_for(path: &Path) {
    let wait = async {
        while !path.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(120), wait).await;
    waited.unwrap_or_else(|_| panic!("{} never came", path.display()));
}

pub async fn a_kind_cluster_of_somebody_else_is_left_alone(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    let config = scenario.path("kind.yaml");
    let text_of_config =
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: pivot-bootstrap\n";
    std::fs::write(&config, text_of_config).expect("write");
    let kubeconfig = text(&scenario.path("theirs.kubeconfig"));
    let kind = scenario.kind();
    let create = ["create", "cluster", "--name", "pivot-bootstrap", "--config", &text(&config)];
    kind.run([&create[..], &["--kubeconfig", &kubeconfig]].concat()).await.expect_success("kind");
    let outcome = scenario.program.run(scenario.create(&[])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "a kind cluster `pivot-bootstrap` exists already, and this run did not create it",
            "--bootstrap-name",
        ],
    );
    scenario.program.run(["abort", "pivot", "--yes"]).await.expect_success("abort");
    let left = kind.run(["get", "clusters"]).await;
    assert_eq!(left.stdout, "pivot-bootstrap\n", "an abort has removed what is not ours");
}

pub async fn providers_that_do_not_come_up_are_reported(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    // Nobody makes Deployments available.
    let outcome = scenario.program.run(scenario.create(&["--timeout", "3"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &["the step `init-bootstrap` failed", "clusterctl init", "kubectl pivot resume pivot"],
    );
    let log = std::fs::read_to_string(scenario.path("state/runs/pivot/logs/init-bootstrap.log"));
    assert!(log.expect("a log").contains("$ clusterctl init "), "{outcome}");
    diagnosis::check_left_by_failure(&scenario, &outcome);
    diagnosis::check_written(&scenario).await;
    scenario.program.run(["abort", "pivot", "--yes"]).await.expect_success("abort");
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "", "it is aborted");
}

pub async fn a_target_that_does_not_answer_is_reported(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = SimulatedControllers::begin(scenario.part(|_| {}));
    let dead = scenario.path("dead.kubeconfig");
    let config = "apiVersion: v1\nkind: Config\ncurrent-context: dead\n\
        clusters: [{name: dead, cluster: {server: \"https://127.0.0.1:1\"}}]\n\
        contexts: [{name: dead, context: {cluster: dead, user: dead}}]\n\
        users: [{name: dead, user: {token: none}}]\n";
    std::fs::write(&dead, config).expect("write");
    let more = ["--timeout", "30", "--to-kubeconfig", &text(&dead)];
    let outcome = scenario.program.run(scenario.create(&more)).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `kubeconfig` failed",
            "timed out after 30 s waiting until the API server of the target is ready",
            "cannot get /readyz in the target cluster",
        ],
    );
}

pub async fn a_bootstrap_cluster_with_clusters_is_not_deleted(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = SimulatedControllers::begin(scenario.part(|_| {}));
    let kubeconfig = scenario.path("state/runs/pivot/bootstrap.kubeconfig");
    let mut running = scenario.program.start(scenario.create(&[]));
    scenario.until_begun("apply-cluster").await;
    let client = Client::connect("bootstrap", &KubeconfigRef::file(&kubeconfig)).await;
    let client = client.expect("a kubeconfig");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}});
    let namespaces = ResourceType::new("v1", "Namespace", "namespaces", false);
    let options = WriteOptions::default();
    client.create(&namespaces, &Object::new(namespace), &options).await.expect("created");
    let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    let left = json!({"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",
        "metadata": {"name": "left", "namespace": "other"}, "spec": {"paused": true,
        "infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "DevCluster",
            "name": "left"}}});
    client.create(&kind, &Object::new(left), &options).await.expect("created");
    let outcome = running.end().await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &["the step `delete-bootstrap` failed", "the bootstrap cluster still holds", "other/left"],
    );
    assert_eq!(clusters(&scenario).await, ["pivot"], "the move itself is done");
}
