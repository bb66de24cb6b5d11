//! An API server that turns hostile during a backup or a restore, or while its state is asked for:
//! the program ends in bounded time and memory and says where, and the honest server and one more
//! command bring everything to an end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kubectl_pivot_tests::arena::{Arena, tell};
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxy::{Call, Fault, Hostility, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::{Story, exit, listed, with_story};

/// The most memory of the program, in MiB.
const MOST_MIB: u64 = 1024;

/// The longest time of a command.
const LONGEST: Duration = Duration::from_secs(240);

/// More answers than the client asks for one request.
const ANSWERS: usize = 9;

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    let suite = suite.case("a_source_that_redirects_during_a_backup", |arena| async move {
        with_story(arena, |story| async move { backup(&story, Hostility::Redirect).await }).await;
    });
    Hostility::ALL.into_iter().fold(suite, |suite, hostility| {
        suite.thorough(&format!("hostile_to_each_command_{hostility:?}"), move |arena| {
            to_each_command(arena, hostility)
        })
    })
}

async fn to_each_command(arena: Arc<Arena>, hostility: Hostility) {
    with_story(arena, |story| async move {
        status(&story, hostility).await;
        backup(&story, hostility).await;
        restore(&story, hostility).await;
    })
    .await;
}

/// Runs a command while a side is hostile from the first of such requests on.
async fn under(
    story: &Story,
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
    story.arena.tape().begin_run();
    story.arena.tape().rule(rule.times(answers));
    let (begun, command) = (Instant::now(), args[0].clone());
    let mut running = story.arena.program().start(args);
    let memory = running.watch_memory();
    let outcome = running.end().await;
    let (took, mib) = (begun.elapsed(), memory.await.expect("watching does not panic"));
    let what = format!("{hostility:?} from the {side:?} during {command}");
    tell(&format!("{what}: {:?} after {:.1} s, {mib} MiB", outcome.code, took.as_secs_f64()));
    assert!(mib < MOST_MIB && took < LONGEST, "{what}: {mib} MiB, {took:?}: {outcome}");
    assert!(!story.arena.tape().has_been_led_away(), "{what}: it has followed a redirection");
    story.arena.tape().begin_run();
    outcome
}

fn at_the_lock(call: &Call) -> bool {
    call.method == "POST" && call.is_lease()
}

/// Nothing is written: it says what it knows, or why it knows nothing.
async fn status(story: &Story, hostility: Hostility) {
    let args = story.args(Side::Source, "status", &["-o", "json"]);
    let outcome = under(story, (hostility, Side::Source), |_| true, args).await;
    assert!(outcome.code == Some(0) || outcome.says("source"), "{outcome}");
}

async fn backup(story: &Story, hostility: Hostility) {
    let before = story.ends().await;
    let args = story.backup_args();
    let outcome = under(story, (hostility, Side::Source), at_the_lock, args).await;
    match outcome.code {
        Some(0) => {
            let saved = story.saved(&story.directory());
            assert!(saved.len() > 20, "a backup of hardly anything: {saved:?}\n{outcome}");
            std::fs::remove_dir_all(story.directory()).expect("it is ours");
        }
        Some(exit::UNFINISHED) => {
            story.arena.free_leases().await;
            let rollback = story.args(Side::Source, "rollback", &[]);
            story.run(rollback).await.expect_success("rollback");
        }
        Some(exit::REFUSED | exit::UNDONE | 4) => {}
        code => panic!("{code:?}: {outcome}"),
    }
    assert_eq!(listed(&story.folder), Vec::<String>::new(), "all of it or nothing: {outcome}");
    story.check_put_back(&before).await;
}

async fn restore(story: &Story, hostility: Hostility) {
    let before = story.ends().await;
    story.back_up().await;
    let args = || story.restore_args(Side::Target, &story.directory());
    let outcome = under(story, (hostility, Side::Target), at_the_lock, args()).await;
    match outcome.code {
        Some(0) => {}
        Some(exit::REFUSED | exit::UNDONE | exit::UNFINISHED) => {
            story.arena.free_leases().await;
            let again = story.run(args()).await;
            if again.code == Some(exit::REFUSED) {
                let rollback = story.args(Side::Target, "rollback", &[]);
                story.run(rollback).await.expect_success("rollback");
                story.run(args()).await.expect_success("the restore after a rollback");
            } else {
                again.expect_success("the restore again");
            }
        }
        code => panic!("{code:?}: {outcome}"),
    }
    story.check_restored(&story.directory(), &before.source, &story.ends().await.target);
    story.check_no_marks_left().await;
}
