//! One move, as measured from outside.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use kubectl_pivot_tests::program::{Program, Usage};
use kubectl_pivot_tests::twins::{Pair, Plane};

use super::pauses::Pauses;

/// No move takes longer.
const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// Time for the last event of a watch to arrive.
const LAST_EVENTS: Duration = Duration::from_millis(300);

/// The figures of a move.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// From the start of the program to its end.
    pub(crate) wall: Duration,
    /// Requests that both API servers have answered.
    pub(crate) requests: u64,
    /// Memory and time of the processor; unknown for what runs in the process of the bench.
    pub(crate) usage: Option<Usage>,
    /// Pauses of the Clusters, the shortest first.
    pub(crate) pauses: Vec<Duration>,
}

/// A measurement that has begun.
pub(crate) struct Stopwatch<'a> {
    pair: &'a Pair,
    pauses: Pauses,
    requests: u64,
}

impl<'a> Stopwatch<'a> {
    pub(crate) async fn start(pair: &'a Pair, namespace: &str) -> Self {
        let pauses = Pauses::watch(pair, namespace);
        // The watches are open before anything is paused.
        tokio::time::sleep(LAST_EVENTS).await;
        Self { pair, pauses, requests: requests(pair).await }
    }

    /// Measures a program to its end.
    pub(crate) async fn program(self, program: &Program, args: &[String]) -> Measured {
        let begun = Instant::now();
        let mut running = program.start(args);
        let usage = running.watch_usage();
        let outcome = running.end_within(LONGEST).await;
        let wall = begun.elapsed();
        outcome.expect_success("the move");
        let usage = usage.await.ok();
        self.stop(wall, usage).await
    }

    /// Measures a future to its end.
    pub(crate) async fn future(self, moving: impl Future<Output = ()>) -> Measured {
        let begun = Instant::now();
        moving.await;
        let wall = begun.elapsed();
        self.stop(wall, None).await
    }

    async fn stop(self, wall: Duration, usage: Option<Usage>) -> Measured {
        let requests = requests(self.pair).await - self.requests;
        tokio::time::sleep(LAST_EVENTS).await;
        Measured { wall, requests, usage, pauses: self.pauses.so_far() }
    }
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Requests that both API servers have answered, without their own and without those of the bench.
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
