//! `replace` that creates the new management cluster first: killed in steps of both, and rolled
//! back.

use std::path::Path;
use std::sync::Arc;

use capi::Object;
use kubectl_pivot_tests::oracle;
use kubectl_pivot_tests::simulated_controllers::SimulatedControllers;
use workflow::Step;

use super::fixture::{Fixture, Scenario, text};

/// The run of the new cluster.
const NEXT: &str = "next";

pub async fn the_new_one_is_created_first(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _old = scenario.simulated_controllers();
    scenario.program.run(scenario.create(&[])).await.expect_success("create");
    let next = fixture.bare(&scenario.path(NEXT)).await;
    let _new = SimulatedControllers::begin(scenario.part(|part| {
        let bootstrap = scenario.path("state/runs/next/bootstrap.kubeconfig");
        part.clusters = vec![bootstrap, next.kubeconfig().to_owned()];
        part.target = next.kubeconfig().to_owned();
    }));
    let replace = replace(&scenario);
    let dry_run = [replace.clone(), vec!["--dry-run".to_owned()]].concat();
    let outline = scenario.program.run(dry_run).await.expect_success("dry-run");
    assert!(outline.says("stays in the old one, paused"), "{outline}");
    for step in [Step::Bootstrap, Step::InitTarget, Step::Move] {
        let mut running = scenario.program.start(replace.clone());
        scenario.until_run_begun_by((NEXT, step.name()), running.pid()).await;
        running.kill();
        running.end().await;
    }
    scenario.program.run(replace.clone()).await.expect_success("the replacement");
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "");
    assert_eq!(clusters(&scenario, scenario.target()).await, [("pivot".to_owned(), false)]);
    let both = [("next".to_owned(), true), ("pivot".to_owned(), true)];
    assert_eq!(clusters(&scenario, next.kubeconfig()).await, both);
    // All of it is done: the same command finds that.
    scenario.program.run(replace).await.expect_success("the same command again");

    let (from, to) = (text(scenario.target()), text(next.kubeconfig()));
    let rollback = ["rollback", "--yes", "--kubeconfig", &from, "--to-kubeconfig", &to];
    scenario.program.run(rollback).await.expect_success("the rollback");
    assert_eq!(clusters(&scenario, scenario.target()).await, [("pivot".to_owned(), true)]);
    assert_eq!(clusters(&scenario, next.kubeconfig()).await, [("next".to_owned(), true)]);
}

/// The command, with its document.
fn replace(scenario: &Scenario) -> Vec<String> {
    let document = scenario.path("next.yaml");
    let (config, out) = (text(&scenario.config), text(&scenario.path("next.kubeconfig")));
    let written = format!(
        "apiVersion: kubectl-pivot.io/v1alpha1\nkind: Pivot\nmetadata:\n  name: {NEXT}\n  \
         namespace: {NEXT}\nspec:\n  infrastructure: in-memory\n  settle: 1\n  timeout: 120\n  \
         clusterctlConfig: {config}\n  toKubeconfigOut: {out}\n"
    );
    std::fs::write(&document, written).expect("the folder is writable");
    let (old, document) = (text(scenario.target()), text(&document));
    let flags = ["replace", "-A", "--yes", "--trust-pause", "*", "--settle", "1"];
    let clusters = ["--timeout", "60", "--kubeconfig", &old, "-f", &document];
    flags.into_iter().chain(clusters).map(str::to_owned).collect()
}

/// The Clusters by name, and whether each is active.
async fn clusters(scenario: &Scenario, kubeconfig: &Path) -> Vec<(String, bool)> {
    let client = scenario.client(kubeconfig).await;
    let found = scenario.list(&client, "cluster.x-k8s.io/v1beta2", "Cluster").await;
    let state = |cluster: &Object| (cluster.name().to_owned(), oracle::is_active(cluster.value()));
    let mut found: Vec<_> = found.iter().map(state).collect();
    found.sort();
    found
}
