//! An API server that turns hostile during a backup or a restore, or while its state is asked for:
//! the program ends in bounded time and memory and says where, and the honest server and one more
//! command bring everything to an end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::{ProxiedPair, tell};
use kubectl_pivot_tests::proxy::{Call, Fault, Hostility, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::{Scenario, exit, listed, with_scenario};

/// The most memory of the program, in MiB.
const MOST_MIB: u64 = 1024;

/// The longest time of a command.
const LONGEST: Duration = Duration::from_secs(240);

/// More answers than the client asks for one request.
const ANSWERS: usize = 9;

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    let suite = suite.case("a_source_that_redirects_during_a_backup", |proxied_pair| async move {
        with_scenario(proxied_pair, |scenario| async move {
            backup(&scenario, Hostility::Redirect).await
        })
        .await;
    });
    Hostility::ALL.into_iter().fold(suite, |suite, hostility| {
        suite.thorough(&format!("hostile_to_each_command_{hostility:?}"), move |proxied_pair| {
            to_each_command(proxied_pair, hostility)
        })
    })
}

async fn to_each_command(proxied_pair: Arc<ProxiedPair>, hostility: Hostility) {
    with_scenario(proxied_pair, |scenario| async move {
        status(&scenario, hostility).await;
        backup(&scenario, hostility).await;
        restore(&scenario, hostility).await;
    })
    .await;
}

/// Runs a command while a side is hostile from the first of such requests on.
async fn under(
    scenario: &Scenario,
    (hostility, side): (Hostility, Side),
    begins: fn(&Call) -> bool,
    args: Vec<String>,
) -> Outcome {
    let only_lists = matches!(hostility, Hostility::EmptyList | Hostility::OneMorePage);
    let is_asked = move |call: &Call| {
        call.side == side && !call.is_lease() && (!only_lists || call.method == "GET")
    };
    let rule = Rule::when(is_asked, Fault::Hostile(hostility)).after(begins);
    let answers = if hostility == Hostility::Slow { 1 } else { ANSWERS };
    scenario.proxied_pair.traffic().begin_run();
    scenario.proxied_pair.traffic().rule(rule.times(answers));
    let (begun, command) = (Instant::now(), args[0].clone());
    let mut running = scenario.proxied_pair.program().start(args);
    let usage = running.watch_usage();
    let outcome = running.end().await;
    let (took, mib) = (begun.elapsed(), usage.await.expect("watching does not panic").peak_mib);
    let what = format!("{hostility:?} from the {side:?} during {command}");
    tell(&format!("{what}: {:?} after {:.1} s, {mib} MiB", outcome.code, took.as_secs_f64()));
    assert!(mib < MOST_MIB && took < LONGEST, "{what}: {mib} MiB, {took:?}: {outcome}");
    assert!(
        !scenario.proxied_pair.traffic().has_been_led_away(),
        "{what}: it has followed a redirection"
    );
    scenario.proxied_pair.traffic().begin_run();
    outcome
}

fn at_the_lock(call: &Call) -> bool {
    call.method == "POST" && call.is_lease()
}

/// Nothing is written: it says what it knows, or why it knows nothing.
async fn status(scenario: &Scenario, hostility: Hostility) {
    let args = scenario.args(Side::Source, "status", &["-o", "json"]);
    let outcome = under(scenario, (hostility, Side::Source), |_| true, args).await;
    assert!(outcome.code == Some(0) || outcome.says("source"), "{outcome}");
}

async fn backup(scenario: &Scenario, hostility: Hostility) {
    let before = scenario.ends().await;
    let args = scenario.backup_args();
    let outcome = under(scenario, (hostility, Side::Source), at_the_lock, args).await;
    match outcome.code {
        Some(0) => {
            let saved = scenario.saved(&scenario.directory());
            assert!(saved.len() > 20, "a backup of hardly anything: {saved:?}\n{outcome}");
            std::fs::remove_dir_all(scenario.directory()).expect("it is ours");
        }
        Some(exit::UNFINISHED) => {
            scenario.proxied_pair.free_leases().await;
            let rollback = scenario.args(Side::Source, "rollback", &[]);
            scenario.run(rollback).await.expect_success("rollback");
        }
        Some(exit::REFUSED | exit::UNDONE | 4) => {}
        code => panic!("{code:?}: {outcome}"),
    }
    assert_eq!(listed(&scenario.folder), Vec::<String>::new(), "all of it or nothing: {outcome}");
    scenario.check_put_back(&before).await;
}

async fn restore(scenario: &Scenario, hostility: Hostility) {
    let before = scenario.ends().await;
    scenario.back_up().await;
    let args = || scenario.restore_args(Side::Target, &scenario.directory());
    let outcome = under(scenario, (hostility, Side::Target), at_the_lock, args()).await;
    match outcome.code {
        Some(0) => {}
        Some(exit::REFUSED | exit::UNDONE | exit::UNFINISHED) => {
            scenario.proxied_pair.free_leases().await;
            let again = scenario.run(args()).await;
            if again.code == Some(exit::REFUSED) {
                let rollback = scenario.args(Side::Target, "rollback", &[]);
                scenario.run(rollback).await.expect_success("rollback");
                scenario.run(args()).await.expect_success("the restore after a rollback");
            } else {
                again.expect_success("the restore again");
            }
        }
        code => panic!("{code:?}: {outcome}"),
    }
    scenario.check_restored(&scenario.directory(), &before.source, &scenario.ends().await.target);
    scenario.check_no_marks_left().await;
}
