//! One run at a time, and a run that has lost its lock stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use capi::Object;
use cluster::{PatchKind, WriteOptions};
use kubectl_pivot_tests::proxied_pair::{ProxiedPair, cluster_type, lease_type, leases};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side, Traffic, Write};
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;
use serde_json::Value;

use super::{Scenario, exit, while_copying, while_deleting, with_scenario};

/// Duration of the program's Leases in an proxied_pair.
const LEASE: Duration = Duration::from_secs(5);

const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(8);

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("a_second_run_is_refused_with_the_holder_of_the_lock", second_run)
        .thorough("a_run_in_the_opposite_direction_is_refused", opposite_run)
        .thorough("two_runs_started_at_once", two_at_once)
        .thorough("two_runs_started_at_once_in_opposite_directions", two_at_once_opposite)
        .thorough("a_resume_while_the_run_is_alive_is_refused", resume_of_a_living_run)
        .thorough("a_run_whose_lease_is_taken_over_while_copying_stops", taken_over_while_copying)
        .thorough("a_run_whose_lease_is_deleted_while_deleting_stops", lost_while_deleting)
        .thorough(
            "a_write_that_waits_for_another_attempt_is_not_sent_without_the_lock",
            no_late_attempt,
        )
        .thorough("a_run_that_slept_continues_when_nobody_has_taken_its_lease", slept_alone)
        .case("a_run_that_slept_while_another_took_over_writes_nothing_more", slept_through)
        .thorough("an_api_server_that_is_away_for_longer_than_the_lease_holds_up_writes", away)
        .case("a_dead_runs_lease_is_taken_after_it_stood_still", taken_after_observation)
        .thorough("ctrl_c_while_a_lease_is_watched_ends_the_wait", watching_interrupted)
        .case("a_pause_that_arrives_after_a_rollback_changes_nothing", late_pause)
        .case("a_copy_that_arrives_after_a_rollback_is_inert", late_copy)
        .thorough("every_take_over_raises_the_epoch_in_both_records", epochs)
}

async fn second_run(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut first = scenario.start_until(while_copying(3, Fault::HoldBefore)).await;
        let second = scenario.run_move().await;
        assert_eq!(second.code, Some(exit::REFUSED), "{second}");
        let holder = format!("pid {}", first.pid());
        assert!(second.says(&holder), "the holder {holder} is not named: {second}");
        scenario.proxied_pair.traffic().release();
        first.end().await.expect_success("the first run");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// The first pause leaves a machine that is killed then, and arrives when everything has been put
/// back.
async fn late_pause(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let is_pause = |call: &Call| {
            call.method == "PATCH" && call.is_about("clusters") && call.side == Side::Source
        };
        let mut running =
            scenario.start_until(Rule::when(is_pause, Fault::HoldBefore).times(1)).await;
        let writes = scenario.proxied_pair.traffic().writes();
        let late = writes.iter().rev().find(|write| is_pause(&write.call)).expect("it is held");
        let (path, body) = (late.call.path.clone(), late.call.body.clone());
        running.kill();
        running.end().await;
        scenario.proxied_pair.traffic().cut().await;
        scenario.proxied_pair.traffic().begin_run();
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        let name = path.rsplit('/').next().expect("a path has parts");
        let place = (Some(&*scenario.tag), name);
        let (source, options) =
            (scenario.proxied_pair.pair().source.client(), WriteOptions::default());
        let patched =
            source.patch(&cluster_type(), place, (PatchKind::Merge, &body), &options).await;
        let refused = patched.expect_err("the pause of a dead run");
        assert_eq!(refused.code(), Some(409), "{refused}");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

/// A copy leaves a machine that is killed then, and arrives when everything has been put back. (One
/// that has an owner is collected at once: its owner's copy is gone.)
async fn late_copy(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let is_copy =
            |call: &Call| call.method == "POST" && call.is_write() && call.is_about("clusters");
        let mut running =
            scenario.start_until(Rule::when(is_copy, Fault::HoldBefore).times(1)).await;
        let writes = scenario.proxied_pair.traffic().writes();
        let late = writes.iter().rev().find(|write| is_copy(&write.call)).expect("it is held");
        let late = Object::new(late.call.body.clone());
        running.kill();
        running.end().await;
        scenario.proxied_pair.traffic().cut().await;
        scenario.proxied_pair.traffic().begin_run();
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");

        let (target, options) =
            (scenario.proxied_pair.pair().target.client(), WriteOptions::default());
        let kind = cluster_type();
        let stray = target.create(&kind, &late, &options).await.expect("nothing is in its way");
        let name = format!("Cluster {}/{}", scenario.tag, stray.name());
        let status = scenario.run("status", &[]).await;
        assert!(status.says(&name), "{status}");
        let moved = scenario.run_move().await;
        assert_eq!(moved.code, Some(exit::REFUSED), "{moved}");
        assert!(moved.says(&name) && moved.says("left a copy of it in the target"), "{moved}");
        target.delete_unchanged(&kind, &stray).await.expect("it can be deleted");
        let now = target.get(&kind, stray.namespace(), stray.name()).await.expect("readable");
        assert_eq!(now, None, "nothing holds it");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn opposite_run(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut first = scenario.start_until(while_copying(3, Fault::HoldBefore)).await;
        let mut args = scenario.proxied_pair.args_backwards("move");
        args.extend(["-n", &scenario.tag, "--yes"].map(str::to_owned));
        let second = scenario.proxied_pair.program().run(args).await;
        assert_eq!(second.code, Some(exit::REFUSED), "{second}");
        assert!(second.says(&format!("pid {}", first.pid())), "{second}");
        scenario.proxied_pair.traffic().release();
        first.end().await.expect_success("the first run");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// Both have done their preflight before either takes the lock, or not: one works in any case.
async fn two_at_once(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let args = scenario.proxied_pair.move_args(&scenario.tag);
        let mut one = scenario.proxied_pair.program().start(args.clone());
        let mut two = scenario.proxied_pair.program().start(args);
        let (one, two) = tokio::join!(one.end(), two.end());
        let (done, refused) = if one.succeeded() { (one, two) } else { (two, one) };
        let done = done.expect_success("one of two runs");
        // The one that comes after the other's end finds nothing in the namespace any more.
        let wanted = [Some(exit::REFUSED), Some(exit::NOTHING)];
        assert!(wanted.contains(&refused.code), "{refused}\nthe other: {done}");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// The backward run meets the forward one at any point; it must never do harm.
async fn two_at_once_opposite(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut backwards = scenario.proxied_pair.args_backwards("move");
        backwards.extend(["-n", &scenario.tag, "--yes"].map(str::to_owned));
        let mut one =
            scenario.proxied_pair.program().start(scenario.proxied_pair.move_args(&scenario.tag));
        let mut two = scenario.proxied_pair.program().start(backwards);
        let (one, two) = tokio::join!(one.end(), two.end());
        one.expect_success("the only run with something to move");
        let wanted = [Some(exit::REFUSED), Some(exit::NOTHING)];
        assert!(wanted.contains(&two.code), "{two}");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn resume_of_a_living_run(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut first = scenario.start_until(while_copying(3, Fault::HoldBefore)).await;
        for command in ["resume", "rollback"] {
            let second = scenario.run(command, &[]).await;
            assert_eq!(second.code, Some(exit::REFUSED), "{command}: {second}");
            assert!(second.says(&format!("pid {}", first.pid())), "{command}: {second}");
        }
        scenario.proxied_pair.traffic().release();
        first.end().await.expect_success("the first run");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn taken_over_while_copying(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut first = scenario.start_until(while_copying(5, Fault::HoldBefore)).await;
        take_over(&scenario.proxied_pair.pair().target).await;
        let held = scenario.proxied_pair.traffic().writes().len();
        let outcome = first_noticed(&scenario, &mut first, held).await;
        assert_eq!(outcome.code, Some(exit::UNFINISHED), "{outcome}");
        assert!(outcome.says("lock"), "{outcome}");
        scenario.proxied_pair.remove_leases_of(&scenario.proxied_pair.pair().target).await;
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn lost_while_deleting(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut first = scenario.start_until(while_deleting(5, Fault::HoldBefore)).await;
        scenario.proxied_pair.remove_leases_of(&scenario.proxied_pair.pair().source).await;
        let held = scenario.proxied_pair.traffic().writes().len();
        let outcome = first_noticed(&scenario, &mut first, held).await;
        assert_eq!(outcome.code, Some(exit::UNFINISHED), "{outcome}");
        scenario.run("resume", &["--force-unlock"]).await.expect_success("resume");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// Waits until the run has tried to renew its lease, in vain, and lets it go on: nothing is written
/// any more but to Leases, without success, beside the request that was kept.
async fn first_noticed(
    scenario: &Scenario,
    run: &mut kubectl_pivot_tests::program::Running,
    held: usize,
) -> kubectl_pivot_tests::program::Outcome {
    let traffic = scenario.proxied_pair.traffic();
    let has_failed = |write: &kubectl_pivot_tests::proxy::Write| {
        write.call.is_lease() && matches!(write.status, Some(404 | 409))
    };
    while !traffic.writes().iter().any(has_failed) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // The program reads the Lease once more to tell who has it now; then it knows.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    traffic.release();
    let outcome = run.end().await;
    let writes = traffic.writes();
    let after = writes.iter().skip(held).filter(|write| !write.call.is_lease());
    let after: Vec<_> = after.map(|write| (&write.call.method, &write.call.path)).collect();
    assert!(after.is_empty(), "written without the lock: {after:#?}\n{outcome}");
    outcome
}

/// Somebody else holds the Lease from now on. Its holder may renew it between reading and writing.
async fn take_over(plane: &Plane) {
    for _ in 0..10 {
        let mut lease: Object = leases(plane.client()).await.remove(0);
        lease.value_mut()["spec"]["holderIdentity"] = "somebody else".into();
        let (kind, options) = (lease_type(), WriteOptions::manager("kubectl-edit"));
        match plane.client().update(&kind, &lease, &options).await {
            Err(error) if error.is_conflict() => {}
            taken => return drop(taken.expect("a Lease can be taken over")),
        }
    }
    panic!("the Lease is renewed all the time");
}

/// The API server asks to be left alone for a while; meanwhile somebody takes the Lease over.
async fn no_late_attempt(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let traffic = scenario.proxied_pair.traffic();
        traffic.begin_run();
        let busy = Fault::Answer { status: 429, retry_after: Some(5) };
        traffic.rule(while_copying(5, busy));
        let mut first =
            scenario.proxied_pair.program().start(scenario.proxied_pair.move_args(&scenario.tag));
        while copies(traffic) < 6 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        take_over(&scenario.proxied_pair.pair().target).await;
        let outcome = first.end().await;
        assert_eq!(outcome.code, Some(exit::UNFINISHED), "{outcome}");
        assert!(outcome.says("lost its lock"), "{outcome}");
        assert_eq!(copies(traffic), 6, "sent again without the lock: {outcome}");
        scenario.proxied_pair.remove_leases_of(&scenario.proxied_pair.pair().target).await;
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// Attempts at copies so far.
fn copies(traffic: &Traffic) -> usize {
    let is_copy = |write: &&Write| {
        write.call.method == "POST" && write.call.side == Side::Target && !write.call.is_lease()
    };
    traffic.writes().iter().filter(is_copy).count()
}

async fn slept_alone(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut running = scenario.start_until(while_copying(5, Fault::HoldAfter)).await;
        running.signal("STOP");
        scenario.proxied_pair.traffic().release();
        tokio::time::sleep(LONGER_THAN_A_LEASE).await;
        running.signal("CONT");
        running.end().await.expect_success("a move that nobody has disturbed in its sleep");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn slept_through(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let mut first = scenario.start_until(while_copying(5, Fault::HoldAfter)).await;
        first.signal("STOP");
        scenario.proxied_pair.traffic().release();
        scenario.run("rollback", &[]).await.expect_success("the rollback by another machine");
        let written = scenario.proxied_pair.traffic().writes().len();
        first.signal("CONT");
        let outcome = first.end().await;
        assert_eq!(outcome.code, Some(exit::UNFINISHED), "{outcome}");
        assert!(outcome.says("lost its lock"), "{outcome}");
        let writes = scenario.proxied_pair.traffic().writes();
        let late = writes.iter().skip(written).filter(|write| !write.call.is_lease());
        assert_eq!(late.count(), 0, "written after the rollback: {outcome}");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn away(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let traffic = scenario.proxied_pair.traffic();
        let is_away = Arc::new(AtomicBool::new(false));
        let (away, target) = (Arc::clone(&is_away), Side::Target);
        let mut running = scenario.start_until(while_copying(5, Fault::HoldAfter)).await;
        let gone = move |call: &Call| call.side == Side::Source && away.load(Ordering::Relaxed);
        traffic.rule(Rule::when(gone, Fault::Reset));
        is_away.store(true, Ordering::Relaxed);
        // The answer comes when the Lease of the source has not been renewed for too long.
        tokio::time::sleep(LONGER_THAN_A_LEASE).await;
        let written = copies(traffic);
        traffic.release();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(copies(traffic), written, "written without the lock on the source");
        let renewals = traffic.writes().into_iter().rev().take(5);
        assert!(
            renewals.into_iter().any(|write| write.call.is_lease() && write.call.side == target),
            "the Lease of the target is not renewed"
        );
        is_away.store(false, Ordering::Relaxed);
        running.end().await.expect_success("a move whose source was away for a while");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn taken_after_observation(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_copying(5, Fault::HoldAfter)).await;
        // As if the clock of the dead machine had been an hour slow: it is not asked.
        age_leases(&scenario).await;
        let begun = Instant::now();
        let told = scenario.proxied_pair.args("resume").into_iter().filter(|arg| arg != "--quiet");
        let resumed = scenario.proxied_pair.program().run(told).await.expect_success("resume");
        assert!(begun.elapsed() >= LEASE, "taken after {:?}", begun.elapsed());
        assert!(resumed.says("has the lock of the source cluster"), "{resumed}");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn age_leases(scenario: &Scenario) {
    for plane in [&scenario.proxied_pair.pair().source, &scenario.proxied_pair.pair().target] {
        let mut lease: Object = leases(plane.client()).await.remove(0);
        lease.value_mut()["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z".into();
        let options = WriteOptions::manager("kubectl-edit");
        let aged = plane.client().update(&lease_type(), &lease, &options).await;
        aged.expect("Leases can be changed");
    }
}

async fn watching_interrupted(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_copying(5, Fault::HoldAfter)).await;
        let traffic = scenario.proxied_pair.traffic();
        traffic.rule(Rule::when(|call| call.is_lease(), Fault::HoldAfter).skip(2).times(1));
        let mut second =
            scenario.proxied_pair.program().start(scenario.proxied_pair.args("resume"));
        traffic.held().await;
        second.interrupt();
        traffic.release();
        let outcome = second.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        let writes = traffic.writes();
        assert!(writes.is_empty(), "{:?}", writes.len());
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn epochs(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        scenario.kill_at(while_copying(5, Fault::HoldAfter)).await;
        assert_eq!(epochs_of(&scenario).await, [1, 1]);
        for (epoch, flags) in [(2, ["--force-unlock"].as_slice()), (3, &[])] {
            scenario.proxied_pair.traffic().rule(while_copying(0, Fault::HoldAfter));
            let mut args = scenario.proxied_pair.args("resume");
            args.extend(flags.iter().map(|flag| (*flag).to_owned()));
            args.extend(["--max-in-flight", "1"].map(str::to_owned));
            let mut running = scenario.proxied_pair.program().start(args);
            tokio::select! {
                outcome = running.end() => panic!("resume has ended: {outcome}"),
                () = scenario.proxied_pair.traffic().held() => {}
            }
            assert_eq!(epochs_of(&scenario).await, [epoch, epoch]);
            running.kill();
            running.end().await;
            scenario.proxied_pair.traffic().cut().await;
            scenario.proxied_pair.traffic().begin_run();
        }
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// The epochs in the records of both clusters.
async fn epochs_of(scenario: &Scenario) -> [u64; 2] {
    let mut epochs = [0; 2];
    let pair = scenario.proxied_pair.pair();
    for (plane, epoch) in [&pair.source, &pair.target].into_iter().zip(&mut epochs) {
        let lease = leases(plane.client()).await.remove(0);
        let record = lease.annotation("kubectl-pivot.io/record").expect("a record");
        let record: Value = serde_json::from_str(record).expect("a record is JSON");
        *epoch = record["epoch"].as_u64().expect("a number");
    }
    epochs
}
