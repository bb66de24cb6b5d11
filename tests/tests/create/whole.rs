//! From nothing to the end.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use cluster::{Client, KubeconfigRef, Served};
use kubectl_pivot_tests::program::Outcome;
use serde_json::Value;
use workflow::Step;

use super::fixture::{Fixture, Scenario};
use super::laptop::{self, Published};

pub async fn all_steps_from_nothing(fixture: Arc<Fixture>) {
    let scenario = fixture.scenario().await;
    let published = Published::of(&scenario);
    let simulated_controllers = published.simulated_controllers(&scenario);
    let mut arguments = scenario.create(&["-o", "json", "--progress", "json"]);
    arguments.extend(laptop::flags(&scenario));
    let program = published.program(&scenario);
    let outcome = program.run(&arguments).await.expect_success("create");
    laptop::check(&scenario, &published);
    tells_every_step(&outcome);
    let report = outcome.json();
    let mut done: Vec<_> = report["steps"].as_array().expect("a list").iter().collect();
    done.sort_by_key(|step| Step::ALL.iter().position(|known| step["step"] == known.name()));
    let names: Vec<_> = done.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(names, Step::ALL.map(Step::name), "{outcome}");

    let kubeconfig = scenario.path("out.kubeconfig");
    let mode = std::fs::metadata(&kubeconfig).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(clusters(&scenario).await, ["pivot"]);
    let kind = kind_clusters(&scenario).await;
    assert_eq!(kind, "", "the bootstrap cluster is still there");

    // Once more is once: the run is over.
    drop(simulated_controllers);
    let again = program.run(&arguments).await.expect_success("again");
    assert_eq!(again.json()["steps"], serde_json::json!([]), "{again}");
    assert_eq!(kind_clusters(&scenario).await, "", "{again}");
    let status = scenario.program.run(["status", "pivot"]).await.expect_success("status");
    assert!(status.stdout.contains(": finished"), "{status}");
}

/// Each step begins once, after what it needs has ended, and ends once; the move is told in phases.
fn tells_every_step(outcome: &Outcome) {
    let events = outcome.events();
    let at = |event: &str, step: Step| {
        let is_it = |line: &Value| {
            line["event"] == event && line["step"] == step.name() && line["phase"].is_null()
        };
        let mut found = events.iter().enumerate().filter(|(_, line)| is_it(line));
        let (position, _) = found.next().unwrap_or_else(|| panic!("{step} {event}: {outcome}"));
        assert!(found.next().is_none(), "{step} {event} twice: {outcome}");
        position
    };
    for step in Step::ALL {
        assert_eq!(events[at("started", step)]["title"], step.title());
        assert!(events[at("finished", step)]["seconds"].is_number());
        for needed in step.needs() {
            assert!(
                at("finished", *needed) < at("started", step),
                "{needed} and {step}: {outcome}"
            );
        }
    }
    assert!(at("started", Step::InitTarget) < at("finished", Step::Nodes), "no overlap: {outcome}");
    let of_move = events.iter().filter(|line| line["step"] == Step::Move.name());
    let phases: Vec<_> = of_move
        .filter(|line| line["event"] == "finished")
        .filter_map(|line| line["phase"].as_str())
        .collect();
    let known = [
        "preflight",
        "pause",
        "quiesce",
        "backup",
        "copy",
        "verify",
        "handOver",
        "delete",
        "resume",
    ];
    assert_eq!(phases, known, "{outcome}");
}

pub async fn the_outline_changes_nothing(fixture: Arc<Fixture>) {
    let scenario = fixture.scene_without_target();
    let outcome =
        scenario.program.run(scenario.create(&["--dry-run"])).await.expect_success("dry-run");
    for text in [
        "2. Create the bootstrap cluster [bootstrap] (after preflight)",
        "$ kind create cluster --name pivot-bootstrap --config kind.yaml",
        "$ clusterctl init --kubeconfig bootstrap.kubeconfig",
        "--infrastructure docker",
        "kind: DevCluster",
        "8. Install add-ons [addons] (after network)",
        "9. Wait for the nodes [nodes] (after control-plane, network)",
        "10. Install providers in the target [init-target] (after addons)",
        "$ kind delete cluster --name pivot-bootstrap",
    ] {
        assert!(outcome.stdout.contains(text), "{text}: {outcome}");
    }
    assert!(!scenario.path("state/runs").exists(), "a dry-run writes nothing");
    assert!(!scenario.path("kind-root").exists(), "a dry-run creates nothing");
    assert!(!scenario.path("out.kubeconfig").exists());
}

/// Names of the Clusters in the target.
pub async fn clusters(scenario: &Scenario) -> Vec<String> {
    let target = KubeconfigRef::file(scenario.target());
    let client = Client::connect("target", &target).await.expect("a kubeconfig");
    let served = Served::read(&client).await.expect("it answers");
    let Some(kind) = served.versions("cluster.x-k8s.io", "Cluster").first() else {
        return Vec::new();
    };
    let clusters = client.list(kind, None).await.expect("it answers");
    clusters.iter().map(|cluster| cluster.name().to_owned()).collect()
}

async fn kind_clusters(scenario: &Scenario) -> String {
    scenario.kind().run(["get", "clusters"]).await.expect_success("kind get clusters").stdout
}

/// Name and uid of the Machines of a cluster.
pub async fn machines(kubeconfig: &std::path::Path) -> Vec<(String, String)> {
    let kubeconfig = KubeconfigRef::file(kubeconfig);
    let client = Client::connect("any", &kubeconfig).await.expect("a kubeconfig");
    let kind = capi::ResourceType::new("cluster.x-k8s.io/v1beta2", "Machine", "machines", true);
    let machines = client.list(&kind, None).await.expect("it answers");
    machines.iter().map(|machine| (machine.name().to_owned(), machine.uid().to_owned())).collect()
}
