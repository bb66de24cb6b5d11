//! Clusters that are not ready to be moved, and names that are taken.

use std::sync::Arc;

use capi::Object;
use kubectl_pivot_tests::dump::RawDump;
use kubectl_pivot_tests::population::{ObjectSpec, Population, shapes};
use kubectl_pivot_tests::suite::Suite;
use serde_json::{Value, json};

use super::bench::{Bench, code, expect};

const BLOCK_MOVE: &str = "clusterctl.cluster.x-k8s.io/block-move";

pub(crate) fn add(suite: Suite<Bench>) -> Suite<Bench> {
    suite
        .case("unprovisioned_cluster", unprovisioned_cluster)
        .thorough("machine_without_node", machine_without_node)
        .case("taken_name", taken_name)
        .case("blocked_for_ever", blocked_for_ever)
        .case("cluster_of_a_missing_owner", cluster_of_a_missing_owner)
        .case("several_problems_at_once", several_problems_at_once)
}

async fn refused(bench: &Bench, population: &Population, says: &[&str]) {
    let namespace = population.namespace();
    bench.pair().source.populate(population).await;
    let before = bench.snapshot(namespace).await;
    let outcome = bench.run(namespace, &[]).await;
    expect(&outcome, code::REFUSED, &["nothing was changed"]);
    expect(&outcome, code::REFUSED, says);
    bench.expect_untouched(namespace, &before, &outcome).await;
}

async fn unprovisioned_cluster(bench: Arc<Bench>) {
    let mut population = Population::new("half-built");
    population.add(shapes::bare_cluster("unborn").status(json!({"phase": "Provisioning"})));
    let mut half = shapes::provisioned();
    half["conditions"] = json!([]);
    population.add(shapes::bare_cluster("headless").status(half));
    let says = [
        "source",
        "Cluster half-built/unborn",
        "infrastructure",
        "Cluster half-built/headless",
        "control plane",
        "wait",
    ];
    refused(&bench, &population, &says).await;
}

async fn machine_without_node(bench: Arc<Bench>) {
    let mut population = Population::new("booting");
    let cluster = shapes::cluster(&mut population, "booting");
    let machine = ObjectSpec::new(shapes::CORE, "Machine", "booting-0")
        .controlled_by(cluster)
        .spec(json!({
            "clusterName": "booting",
            "bootstrap": {"dataSecretName": "booting-0"},
            "infrastructureRef": shapes::infrastructure_ref("DockerMachine", "booting-0"),
        }))
        .status(json!({"phase": "Provisioning"}));
    population.add(machine);
    refused(&bench, &population, &["source", "Machine booting/booting-0", "node", "wait"]).await;
}

async fn taken_name(bench: Arc<Bench>) {
    let mut foreign = Population::new("occupied");
    foreign.add(ObjectSpec::secret("occupied-kubeconfig").annotation("owner", "somebody else"));
    bench.pair().target.populate(&foreign).await;
    let says = ["Secret occupied/occupied-kubeconfig", "in the target already", "compare"];
    refused(&bench, &Bench::population("occupied"), &says).await;
}

/// The clusters are paused by then, so this one has to be undone.
async fn blocked_for_ever(bench: Arc<Bench>) {
    let mut population = Population::new("blocked");
    let cluster = shapes::cluster(&mut population, "blocked");
    population.add(ObjectSpec::config_map("busy").annotation(BLOCK_MOVE, "").owned_by(cluster));
    bench.pair().source.populate(&population).await;
    let before = bench.snapshot("blocked").await;
    let outcome = bench.run("blocked", &["--block-move-timeout", "1"]).await;
    expect(
        &outcome,
        code::UNDONE,
        &["ConfigMap blocked/busy", BLOCK_MOVE, "rolled back", "--block-move-timeout"],
    );
    bench.expect_untouched("blocked", &before, &outcome).await;
}

/// All of them in one report, not only the first.
async fn several_problems_at_once(bench: Arc<Bench>) {
    let mut population = Population::new("troubled");
    for name in ["first", "second", "third"] {
        population.add(shapes::bare_cluster(name).status(json!({"phase": "Pending"})));
    }
    let says = ["Cluster troubled/first", "Cluster troubled/second", "Cluster troubled/third"];
    refused(&bench, &population, &says).await;
}

/// It cannot move without its owner, so it stays, is not paused, and is reported. (clusterctl
/// pauses it and then fails to resume it on the target.)
async fn cluster_of_a_missing_owner(bench: Arc<Bench>) {
    let namespace = "disowned";
    let mut population = Bench::population(namespace);
    population.add(shapes::bare_cluster("stays").owned_by_missing(
        "example.com/v1",
        "Project",
        "gone",
    ));
    bench.pair().source.populate(&population).await;
    let before = bench.pair().source.dump(&[namespace]).await;
    let outcome = bench.run(namespace, &["-o", "json"]).await;
    expect(&outcome, code::MOVED, &[]);
    let report = outcome.json();
    let unmoved = report["notMoved"].as_array().cloned().unwrap_or_default();
    assert!(unmoved.iter().any(|entry| entry["name"] == "stays"), "{report:#}");
    let after = bench.pair().source.dump(&[namespace]).await;
    assert_eq!(spec_of(&before, "stays"), spec_of(&after, "stays"), "{outcome}");
}

fn spec_of(dump: &RawDump, cluster: &str) -> Value {
    let is_it = |object: &&Object| object.kind() == "Cluster" && object.name() == cluster;
    dump.objects().iter().find(is_it).expect("is there").value()["spec"].clone()
}
