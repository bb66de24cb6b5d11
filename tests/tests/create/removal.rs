//! `delete`: refused while it would take too much, then done, whatever interrupts it.

use std::sync::Arc;

use capi::{Object, ResourceType};
use cluster::WriteOptions;
use kubectl_pivot::commands::exit;
use kubectl_pivot_tests::program::Running;
use kubectl_pivot_tests::simulated_controllers::{Behaviour, Part, SimulatedControllers};
use serde_json::json;
use workflow::Step;

use super::failures::expect;
use super::fixture::{Fixture, Scenario};
use super::whole::clusters;

pub async fn a_management_cluster_is_deleted(fixture: Arc<Fixture>) {
    let mut scenario = fixture.scenario().await;
    let simulated_controllers = SimulatedControllers::begin(part(&scenario));
    scenario.program.run(scenario.create(&[])).await.expect_success("create");
    refused(&scenario).await;
    assert_eq!(
        scenario.kind().run(["get", "clusters"]).await.stdout,
        "",
        "a refusal creates nothing"
    );

    // An earlier deletion of this name has ended: it was of another Cluster.
    let stale = scenario.path("state/deletions/pivot");
    std::fs::create_dir_all(&stale).expect("created");
    std::fs::write(stale.join("bootstrap.deleting"), "pivot-bootstrap").expect("written");
    let outline = scenario.program.run(delete(&["--dry-run"])).await.expect_success("dry-run");
    assert!(outline.stdout.contains("its 2 Machines:"), "{outline}");

    drop(simulated_controllers);
    let idle = Part { without: vec![Behaviour::Deletions], ..part(&scenario) };
    let simulated_controllers = SimulatedControllers::begin(idle);
    let outcome = scenario.program.run(delete(&["--yes", "--timeout", "30"])).await;
    expect(
        &outcome,
        exit::UNFINISHED,
        &[
            "the step `delete-cluster` failed",
            "waiting until the cluster and its machines are gone",
            "Cluster default/pivot is being deleted: 2 Machines are left",
            "kubectl pivot delete pivot` with the same flags continues",
        ],
    );
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "pivot-bootstrap\n");
    assert_eq!(clusters(&scenario).await, Vec::<String>::new());

    // The machines of the management cluster go one after the other, and its API server with them.
    let part = part(&scenario);
    drop(simulated_controllers);
    scenario.lose_target();
    let _simulated_controllers = SimulatedControllers::begin(part);
    let outcome = scenario.program.run(delete(&["--yes"])).await.expect_success("delete");
    // Its controllers do not wait for the command: Machines may be gone before it looks.
    assert!(outcome.stdout.contains(" Machines are gone"), "{outcome}");
    expect_nothing(&scenario).await;
    let again = scenario.program.run(delete(&["--yes"])).await;
    assert_eq!(again.code, Some(exit::REFUSED.into()), "{again}");

    std::fs::create_dir_all(&stale).expect("created");
    let outcome = scenario.program.run(delete(&["--forget"])).await;
    expect(&outcome, exit::REFUSED, &["not confirmed"]);
    scenario.program.run(delete(&["--forget", "--yes"])).await.expect_success("forget");
    let outcome = scenario.program.run(delete(&["--forget", "--yes"])).await;
    expect(&outcome, exit::REFUSED, &["no deletion of `pivot` was started"]);
}

/// Deletions that would take more than the cluster, or that nobody has agreed to.
async fn refused(scenario: &Scenario) {
    let outcome = scenario.program.run(delete(&[])).await;
    expect(&outcome, exit::REFUSED, &["not confirmed; nothing was changed", "--yes"]);
    let outline = scenario.program.run(delete(&["--dry-run"])).await.expect_success("dry-run");
    for text in [
        "Cluster default/pivot manages itself at https://127.0.0.1:",
        "its 2 Machines:",
        "5. Delete the cluster and its machines [delete-cluster] (after move)",
    ] {
        assert!(outline.stdout.contains(text), "{text}: {outline}");
    }
    let target = scenario.client(scenario.target()).await;
    let kind = ResourceType::new("cluster.x-k8s.io/v1beta2", "Cluster", "clusters", true);
    let other = json!({"apiVersion": kind.api_version(), "kind": "Cluster",
        "metadata": {"name": "other", "namespace": "default"}, "spec": {"paused": true,
        "infrastructureRef": {"apiGroup": "infrastructure.cluster.x-k8s.io", "kind": "DevCluster",
            "name": "other"}}});
    let options = WriteOptions::manager("somebody");
    let other = target.create(&kind, &Object::new(other), &options).await.expect("created");
    let outcome = scenario.program.run(delete(&["--yes"])).await;
    expect(
        &outcome,
        exit::REFUSED,
        &["this management cluster also has Cluster default/other", "kubectl delete cluster"],
    );
    let outcome = scenario
        .program
        .run(
            ["delete", "absent", "--yes", "-i", "in-memory", "--kubeconfig"]
                .map(str::to_owned)
                .into_iter()
                .chain([scenario.target().display().to_string()]),
        )
        .await;
    expect(
        &outcome,
        exit::REFUSED,
        &["there is no Cluster default/absent in this management cluster"],
    );
    let gone = target.delete(&kind, Some("default"), "other", other.uid()).await;
    assert!(gone.expect("it can be deleted"));
}

pub async fn killed_in_each_step(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let _simulated_controllers = SimulatedControllers::begin(part(&scenario));
    scenario.program.run(scenario.create(&[])).await.expect_success("create");
    let mut begun = vec![0; Step::REMOVAL.len()];
    for (position, step) in Step::REMOVAL.iter().enumerate() {
        let mut running: Running = scenario.program.start(delete(&["--yes"]));
        // A run goes through the steps before again, once each.
        begun.iter_mut().take(position + 1).for_each(|times| *times += 1);
        scenario.until_deletion_begun(step.name(), begun[position]).await;
        running.kill();
        running.end().await;
    }
    let outcome = scenario.program.run(delete(&["--yes"])).await.expect_success("the last one");
    assert!(outcome.stdout.contains("its machines are gone"), "{outcome}");
    expect_nothing(&scenario).await;
}

/// Neither the cluster is left nor anything that the deletion needed.
async fn expect_nothing(scenario: &Scenario) {
    assert_eq!(scenario.kind().run(["get", "clusters"]).await.stdout, "");
    assert!(!scenario.path("state/deletions/pivot").exists());
    assert!(!scenario.path("state/runs/pivot").exists());
}

fn delete(more: &[&str]) -> Vec<String> {
    let words = ["delete", "pivot"].iter().chain(more);
    words.map(|&word| word.to_owned()).collect()
}

/// The controllers of all three clusters, those that delete machines among them.
fn part(scenario: &Scenario) -> Part {
    scenario.part(|part| {
        part.deletes = true;
        part.clusters.push(scenario.path("state/deletions/pivot/bootstrap.kubeconfig"));
    })
}
