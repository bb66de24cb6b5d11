//! A move by us beside a move by clusterctl: the same fleet on twin pairs in the same run.
//!
//! `cargo bench -p kubectl-pivot-tests --bench move -- 1 10 50` measures fleets of 1, 10 and 50
//! clusters and prints a table. Requests are counted by the API servers themselves
//! (`apiserver_request_total`), so both programs are measured alike. Nothing is asserted about
//! time.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::time::{Duration, Instant};

use kubectl_pivot_tests::population::Population;
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::twins::{Fixture, Pair, Plane};
use sandbox::fleet::{self, FleetOptions};
use support::journal::Events;

/// Workers of each cluster.
const WORKERS: usize = 3;

/// One move, as measured.
struct Measured {
    wall: Duration,
    requests: u64,
}

#[tokio::main]
async fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1, 10] } else { sizes };
    let fixture = Fixture::set().await;
    let twins = fixture.twins().await;
    // Built, loaded and connected once before anything is measured.
    for pair in [&twins.theirs, &twins.ours] {
        pair.source.populate(&Population::new("warm-up")).await;
    }
    twins.theirs.move_by_clusterctl(&fixture, "warm-up").await;
    twins.ours.move_by_us(&fixture, "warm-up").await;
    println!(
        "| clusters | objects | clusterctl | ours | ratio | requests per object: clusterctl | ours \
         |"
    );
    println!("|---|---|---|---|---|---|---|");
    for clusters in sizes {
        let namespace = format!("fleet-{clusters}");
        let objects = grow(&twins.theirs.source, &namespace, clusters).await;
        grow(&twins.ours.source, &namespace, clusters).await;
        let theirs =
            measured(&twins.theirs, twins.theirs.move_by_clusterctl(&fixture, &namespace)).await;
        let ours = measured(&twins.ours, twins.ours.move_by_us(&fixture, &namespace)).await;
        println!("{}", row(clusters, objects, &theirs, &ours));
    }
}

async fn grow(plane: &Plane, namespace: &str, clusters: usize) -> usize {
    plane.populate(&Population::new(namespace)).await;
    let namespace = namespace.to_owned();
    let options = FleetOptions { clusters, workers: WORKERS, namespace, ..FleetOptions::default() };
    fleet::create(plane.client(), &options, &Events::none()).await.expect("a fleet").objects
}

async fn measured(pair: &Pair, moving: impl Future<Output = Outcome>) -> Measured {
    let before = requests(pair).await;
    let begun = Instant::now();
    moving.await.expect_success("the move");
    let wall = begun.elapsed();
    Measured { wall, requests: requests(pair).await - before }
}

/// Requests that both API servers have answered, without their own and without ours for this.
async fn requests(pair: &Pair) -> u64 {
    requests_of(&pair.source).await + requests_of(&pair.target).await
}

async fn requests_of(plane: &Plane) -> u64 {
    let metrics = plane.client().get_text("/metrics").await.expect("metrics");
    metrics.lines().filter_map(counted).sum()
}

/// The count of one line, unless it is of what an API server asks of itself: leases, flow control,
/// API services, watches.
fn counted(line: &str) -> Option<u64> {
    const OWN: [&str; 7] = [
        "verb=\"WATCH\"",
        "resource=\"leases\"",
        "group=\"flowcontrol.apiserver.k8s.io\"",
        "group=\"apiregistration.k8s.io\"",
        "group=\"rbac.authorization.k8s.io\"",
        "group=\"scheduling.k8s.io\"",
        "group=\"discovery.k8s.io\"",
    ];
    let (labels, value) = line.strip_prefix("apiserver_request_total{")?.rsplit_once("} ")?;
    if OWN.iter().any(|own| labels.contains(own)) {
        return None;
    }
    value.parse::<f64>().ok().map(|count| count as u64)
}

fn row(clusters: usize, objects: usize, theirs: &Measured, ours: &Measured) -> String {
    let per_object = |measured: &Measured| measured.requests as f64 / objects as f64;
    format!(
        "| {clusters} | {objects} | {:.1} s | {:.1} s | {:.1} | {:.1} | {:.1} |",
        theirs.wall.as_secs_f64(),
        ours.wall.as_secs_f64(),
        theirs.wall.as_secs_f64() / ours.wall.as_secs_f64(),
        per_object(theirs),
        per_object(ours),
    )
}
