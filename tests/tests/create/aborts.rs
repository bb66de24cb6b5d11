//! `abort`: it never deletes a bootstrap cluster that holds a Cluster, or that is not the run's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::Client;
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::program::{Outcome, Program};
use kubectl_pivot_tests::simulated_controllers::{Behaviour, SimulatedControllers};
use kubectl_pivot_tests::suite::Suite;
use serde_json::json;
use support::yaml;

use super::failures::{expect, kind_but, script, wait_for};
use super::fixture::{Fixture, Scenario, text};
use super::laptop::read;

const KIND_CLUSTER: &str = "pivot-bootstrap\n";
const HOLDS: &str = "holds Cluster default/pivot";

pub fn add(suite: Suite<Fixture>) -> Suite<Fixture> {
    suite
        .case(
            "abort_keeps_a_bootstrap_cluster_that_holds_the_cluster",
            abort_keeps_a_bootstrap_cluster_that_holds_the_cluster,
        )
        .thorough(
            "a_run_that_was_killed_before_its_mark_knows_its_kind_cluster",
            a_run_that_was_killed_before_its_mark_knows_its_kind_cluster,
        )
        .thorough(
            "abort_asks_an_existing_bootstrap_cluster",
            abort_asks_an_existing_bootstrap_cluster,
        )
        .thorough("abort_leaves_what_was_kept", abort_leaves_what_was_kept)
        .thorough("abort_refuses_while_nobody_answers", abort_refuses_while_nobody_answers)
}

async fn abort_keeps_a_bootstrap_cluster_that_holds_the_cluster(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = SimulatedControllers::begin(
        scenario.part(|part| part.without = vec![Behaviour::ControlPlane]),
    );
    scenario.stop_in("control-plane", scenario.create(&[])).await;
    // As after a restart of Docker: kind has the cluster, and its containers do not run.
    let stopped = kind_but(&scenario, "'get kubeconfig'", "echo 'ERROR: not running' >&2; exit 1");
    let resumed = scenario.program.run(["resume", "pivot", "--kind", &stopped]).await;
    expect(&resumed, exit::UNFINISHED, &["the step `bootstrap` failed", "does not answer"]);

    let silent = abort(&scenario.program, &["--kind", &stopped]).await;
    expect(
        &silent,
        exit::REFUSED,
        &[
            "cannot abort the run `pivot`; nothing was removed",
            "`pivot-bootstrap` does not answer, and the cluster `pivot` was applied to it",
            "docker start pivot-bootstrap-control-plane",
            "--forget",
        ],
    );
    // It answers, whatever the last step of the journal says.
    expect(&abort(&scenario.program, &[]).await, exit::REFUSED, &[HOLDS, "pivot resume pivot"]);
    let bare = scenario.program.clone().env("XDG_DATA_HOME", &text(&scenario.path("no-plugins")));
    expect(&abort(&bare, &[]).await, exit::REFUSED, &[HOLDS]);
    assert_eq!(kind_clusters(&scenario).await, KIND_CLUSTER);

    delete_cluster(&scenario.bootstrap().await).await;
    let fails = kind_but(&scenario, "'delete cluster'", "echo 'ERROR: no engine' >&2; exit 1");
    let half = abort(&bare, &["--kind", &fails]).await;
    expect(&half, exit::UNFINISHED, &["cannot abort the run `pivot`", "no engine"]);
    let resumed = scenario.program.run(["resume", "pivot"]).await;
    expect(&resumed, exit::REFUSED, &["an abort of the run `pivot` was interrupted"]);
    abort(&bare, &[]).await.expect_success("abort without plugins");
    assert_eq!(kind_clusters(&scenario).await, "");
    assert_eq!(runs(&scenario), Vec::<PathBuf>::new());
}

async fn a_run_that_was_killed_before_its_mark_knows_its_kind_cluster(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    let here = scenario.path("here");
    let real = env!("CARGO_BIN_EXE_stand-in-kind");
    let body = format!("\"{real}\" \"$@\"; echo x > {}; sleep 1000", text(&here));
    let late = script(
        &scenario,
        "late",
        &format!("case \"$*\" in 'create cluster'*) {body} ;; esac\nexec {real} \"$@\""),
    );
    let start = async || {
        let _ = std::fs::remove_file(&here);
        let mut running = scenario.program.start(scenario.create(&["--kind", &late]));
        wait_for(&here).await;
        running.kill();
        running.end().await;
    };
    start().await;
    assert_eq!(kind_clusters(&scenario).await, KIND_CLUSTER);
    abort(&scenario.program, &[]).await.expect_success("abort before the mark");
    assert_eq!(kind_clusters(&scenario).await, "", "it has made this cluster");

    // A cluster of the same name that somebody else has made since.
    start().await;
    let kind = scenario.kind();
    kind.run(["delete", "cluster", "--name", "pivot-bootstrap"]).await.expect_success("kind");
    make_kind_cluster(&scenario, "pivot-bootstrap").await;
    let resumed = scenario.program.run(["resume", "pivot"]).await;
    expect(&resumed, exit::UNFINISHED, &["exists already, and this run did not create it"]);
    let aborted = abort(&scenario.program, &[]).await.expect_success("abort");
    assert!(aborted.says("does not have the mark of the run, and stays"), "{aborted}");
    assert_eq!(kind_clusters(&scenario).await, KIND_CLUSTER, "it is not ours");
}

async fn abort_asks_an_existing_bootstrap_cluster(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let kubeconfig = make_kind_cluster(&scenario, "pivot-bootstrap").await;
    let _simulated_controllers = SimulatedControllers::begin(scenario.part(|part| {
        part.without = vec![Behaviour::ControlPlane];
        part.clusters = vec![kubeconfig.clone(), scenario.target().to_owned()];
    }));
    let file = text(&kubeconfig);
    let create = scenario.create(&["--bootstrap", "existing", "--bootstrap-kubeconfig", &file]);
    scenario.stop_in("control-plane", create.clone()).await;
    expect(&abort(&scenario.program, &[]).await, exit::REFUSED, &[HOLDS]);
    let elsewhere = scenario.path("elsewhere.kubeconfig");
    std::fs::rename(&kubeconfig, &elsewhere).expect("it is there");
    let silent = abort(&scenario.program, &[]).await;
    expect(&silent, exit::REFUSED, &["does not answer, and the cluster `pivot` was applied"]);
    std::fs::rename(&elsewhere, &kubeconfig).expect("it is there");

    let bootstrap = scenario.client(&kubeconfig).await;
    delete_cluster(&bootstrap).await;
    abort(&scenario.program, &[]).await.expect_success("abort");
    let marks = ResourceType::core("ConfigMap", "configmaps");
    let mark = bootstrap.get(&marks, Some("kube-system"), "kubectl-pivot-create-pivot").await;
    assert!(mark.expect("it answers").is_none(), "the mark is left");
    assert_eq!(kind_clusters(&scenario).await, KIND_CLUSTER, "an existing cluster stays");

    scenario.stop_in("control-plane", create).await;
    std::fs::remove_file(&kubeconfig).expect("it is there");
    let forgotten = scenario.program.run(["abort", "pivot", "--forget"]).await;
    expect(&forgotten, exit::REFUSED, &["not confirmed"]);
    abort(&scenario.program, &["--forget"]).await.expect_success("forget");
    assert_eq!(runs(&scenario), Vec::<PathBuf>::new());
}

async fn abort_refuses_while_nobody_answers(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = SimulatedControllers::begin(
        scenario.part(|part| part.without = vec![Behaviour::ControlPlane]),
    );
    scenario.stop_in("control-plane", scenario.create(&[])).await;
    let mut dead = read(&scenario.path("state/runs/pivot/bootstrap.kubeconfig"));
    dead["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
    let file = scenario.path("dead.kubeconfig");
    std::fs::write(&file, yaml::document(&dead)).expect("write");
    // The engine, and the API server of a node that runs.
    for (words, body, reason) in [
        ("'get clusters'", "echo 'ERROR: no engine' >&2; exit 1".to_owned(), "no engine"),
        (
            "'get kubeconfig'",
            format!("exec cat {}", text(&file)),
            "does not answer, and the cluster `pivot` was applied to it",
        ),
    ] {
        let kind = kind_but(&scenario, words, &body);
        let silent = abort(&scenario.program, &["--kind", &kind]).await;
        expect(&silent, exit::REFUSED, &["nothing was removed", reason]);
    }
    assert_eq!(kind_clusters(&scenario).await, KIND_CLUSTER);
    expect(&abort(&scenario.program, &[]).await, exit::REFUSED, &[HOLDS]);
}

async fn abort_leaves_what_was_kept(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = scenario.simulated_controllers();
    let create = scenario.create(&["--keep-bootstrap"]);
    scenario.program.run(create).await.expect_success("create");
    abort(&scenario.program, &[]).await.expect_success("abort");
    assert_eq!(kind_clusters(&scenario).await, KIND_CLUSTER, "it was to be kept");
}

async fn abort(program: &Program, more: &[&str]) -> Outcome {
    program.run([&["abort", "pivot", "--yes"], more].concat()).await
}

/// A cluster that a user makes; returns its kubeconfig.
pub async fn make_kind_cluster(scenario: &Scenario, name: &str) -> PathBuf {
    let (config, kubeconfig) = (scenario.path("theirs.yaml"), scenario.path("theirs.kubeconfig"));
    let content = json!({"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "name": name,
        "nodes": [{"role": "control-plane"}]});
    std::fs::write(&config, content.to_string()).expect("write");
    let (config, file) = (text(&config), text(&kubeconfig));
    let create = ["create", "cluster", "--name", name, "--config", &config, "--kubeconfig", &file];
    scenario.kind().run(create).await.expect_success("kind");
    kubeconfig
}

async fn kind_clusters(scenario: &Scenario) -> String {
    scenario.kind().run(["get", "clusters"]).await.expect_success("kind get clusters").stdout
}

/// Deletes the Cluster as a user does; nothing holds it.
async fn delete_cluster(cluster: &Client) {
    let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    let object: Object = cluster
        .get(&kind, Some("default"), "pivot")
        .await
        .expect("it answers")
        .expect("it is there");
    let deleted = cluster.delete(&kind, Some("default"), "pivot", object.uid()).await;
    assert!(deleted.expect("it may be deleted"));
}

/// Everything in the folder of runs.
fn runs(scenario: &Scenario) -> Vec<PathBuf> {
    let folder: &Path = &scenario.path("state/runs");
    let entries = std::fs::read_dir(folder).expect("there were runs");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}
