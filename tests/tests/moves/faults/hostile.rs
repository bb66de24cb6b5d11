//! An API server that turns hostile in the middle of a run: the run ends in bounded time and
//! memory, says why, and leaves nothing that the honest server and one more command do not bring to
//! an end.

use std::time::{Duration, Instant};

use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::{Ends, tell};
use kubectl_pivot_tests::proxy::{Call, Fault, Hostility, Rule, Side};
use kubectl_pivot_tests::suite::Suite;
use serde_json::Value;

use super::{FaultBench, UNDONE, UNFINISHED, check_moved, check_nothing_left, fresh};

/// Exit code of a command that was refused before anything was changed.
const REFUSED: i32 = 3;

/// The most memory of the program, in MiB.
const MOST_MIB: u64 = 1024;

/// The longest time of a run, as long as not every answer is hostile.
const LONGEST: Duration = Duration::from_secs(240);

/// More answers than the client asks for one request.
const ANSWERS: usize = 9;

/// Enough answers to end a phase and to disturb what comes behind it. Each bomb is 256 MiB for an
/// unoptimised program: a slow machine with two cores is to stay far within the longest time.
const BOMBS: usize = 3;

pub(crate) fn add(suite: Suite<FaultBench>) -> Suite<FaultBench> {
    let suite = suite
        .case("a_source_that_sends_bombs_while_it_is_verified", |s| async move {
            turns(&s, Hostility::GzipBomb, (Phase::Copy, Side::Source), BOMBS).await;
        })
        .case("a_target_that_sends_pages_without_end_after_the_commit", |s| async move {
            turns(&s, Hostility::OneMorePage, (Phase::Delete, Side::Target), ANSWERS).await;
        });
    let names: Vec<(Hostility, String)> = Hostility::ALL
        .into_iter()
        .map(|hostility| (hostility, format!("hostile_in_each_phase_{hostility:?}")))
        .collect();
    names.into_iter().fold(suite, |suite, (hostility, name)| {
        suite.thorough(&name, move |fault_bench| async move {
            in_each_phase(&fault_bench, hostility).await
        })
    })
}

/// When a server turns hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Check,
    Pause,
    Copy,
    HandOver,
    Delete,
    Resume,
}

impl Phase {
    const ALL: [Self; 6] =
        [Self::Check, Self::Pause, Self::Copy, Self::HandOver, Self::Delete, Self::Resume];

    /// The request with which it begins.
    fn begins(self, call: &Call) -> bool {
        let is_of_target = call.side == Side::Target;
        match self {
            Self::Check => call.path == "/version" && call.method == "GET",
            Self::Pause => is_of_target && call.method == "POST" && call.is_lease(),
            Self::Copy => is_of_target && is_copy(call),
            Self::HandOver => is_of_target && call.phase().as_deref() == Some("handingOver"),
            Self::Delete => is_of_target && call.phase().as_deref() == Some("deleting"),
            Self::Resume => is_of_target && call.phase().as_deref() == Some("resuming"),
        }
    }
}

fn is_copy(call: &Call) -> bool {
    call.method == "POST"
        && call.is_write()
        && call.body["metadata"]["annotations"]["kubectl-pivot.io/run"] != Value::Null
}

async fn in_each_phase(fault_bench: &FaultBench, hostility: Hostility) {
    let answers = if hostility == Hostility::Slow { 1 } else { ANSWERS };
    for phase in Phase::ALL {
        for side in [Side::Source, Side::Target] {
            turns(fault_bench, hostility, (phase, side), answers).await;
        }
    }
}

/// Moves while one side is hostile for some answers from a phase on.
async fn turns(
    fault_bench: &FaultBench,
    hostility: Hostility,
    (phase, side): (Phase, Side),
    answers: usize,
) {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    let before = proxied_pair.ends(&tag).await;
    let only_lists = matches!(hostility, Hostility::EmptyList | Hostility::OneMorePage);
    let rule = move |call: &Call| {
        let is_asked = call.side == side && !call.is_lease() && call.path != "/version";
        is_asked && (!only_lists || call.method == "GET")
    };
    let rule = Rule::when(rule, Fault::Hostile(hostility)).after(move |call| phase.begins(call));
    proxied_pair.traffic().rule(rule.times(answers));
    let begun = Instant::now();
    let mut running = proxied_pair.program().start(proxied_pair.move_args(&tag));
    let usage = running.watch_usage();
    let outcome = running.end().await;
    let (took, mib) = (begun.elapsed(), usage.await.expect("watching does not panic").peak_mib);
    let what = format!("{hostility:?} from the {side:?} on {phase:?}");
    tell(&format!("{what}: {:?} after {:.1} s, {mib} MiB", outcome.code, took.as_secs_f64()));
    assert!(mib < MOST_MIB, "{what} took {mib} MiB: {outcome}");
    assert!(took < LONGEST, "{what} took {took:?}: {outcome}");
    assert!(!proxied_pair.traffic().has_been_led_away(), "{what}: it has followed a redirection");
    proxied_pair.traffic().begin_run();
    comes_to_an_end(fault_bench, (&tag, &before), &outcome).await;
    proxied_pair.clean_up(&tag).await;
}

/// Brings what a run has left to its end with the honest servers.
async fn comes_to_an_end(
    fault_bench: &FaultBench,
    (tag, before): (&str, &Ends),
    outcome: &Outcome,
) {
    let proxied_pair = &fault_bench.proxied_pair;
    match outcome.code {
        Some(0) => return check_moved(fault_bench, tag).await,
        Some(REFUSED | UNDONE) => {}
        Some(UNFINISHED) => {
            proxied_pair.free_leases().await;
            let rolled_back = proxied_pair.program().run(proxied_pair.args("rollback")).await;
            if rolled_back.code == Some(REFUSED) {
                let resumed = proxied_pair.program().run(proxied_pair.args("resume")).await;
                resumed.expect_success("to resume what cannot be put back");
                return check_moved(fault_bench, tag).await;
            }
            rolled_back.expect_success("the rollback");
        }
        // A source that shows no Clusters has nothing to move.
        Some(4) if outcome.says("nothing") || outcome.says("no Clusters") => {}
        code => panic!("{code:?}: {outcome}"),
    }
    assert!(outcome.says("source") || outcome.says("target"), "it says where: {outcome}");
    before.check_put_back(&proxied_pair.ends(tag).await).unwrap_or_else(|text| {
        panic!("{text}\nafter {outcome}");
    });
    check_nothing_left(proxied_pair, tag).await;
}
