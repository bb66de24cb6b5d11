//! One run at a time, and a run that has lost its lock stops.

use std::sync::Arc;

use kubectl_pivot::capi::Object;
use kubectl_pivot::cluster::WriteOptions;
use kubectl_pivot_tests::arena::{Arena, lease_type, leases};
use kubectl_pivot_tests::proxy::Fault;
use kubectl_pivot_tests::suite::Suite;
use kubectl_pivot_tests::twins::Plane;

use crate::{Story, exit, while_copying, while_deleting, with_story};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("a_second_run_is_refused_and_told_who_holds_the_lock", second_run)
        .case("a_run_in_the_opposite_direction_is_refused", opposite_run)
        .case("two_runs_started_at_once", two_at_once)
        .case("two_runs_started_at_once_in_opposite_directions", two_at_once_opposite)
        .case("a_resume_while_the_run_is_alive_is_refused", resume_of_a_living_run)
        .case("a_run_whose_lease_is_taken_over_while_copying_stops", taken_over_while_copying)
        .case("a_run_whose_lease_is_deleted_while_deleting_stops", lost_while_deleting)
}

async fn second_run(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let mut first = story.start_until(while_copying(3, Fault::HoldBefore)).await;
        let second = story.run_move().await;
        assert_eq!(second.code, Some(exit::REFUSED), "{second}");
        let holder = format!("pid {}", first.pid());
        assert!(second.says(&holder), "the holder {holder} is not named: {second}");
        story.arena.tape().release();
        first.end().await.expect_success("the first run");
        story.check_nothing_left().await;
    })
    .await;
}

async fn opposite_run(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let mut first = story.start_until(while_copying(3, Fault::HoldBefore)).await;
        let mut args = story.arena.args_backwards("move");
        args.extend(["-n", &story.tag, "--yes"].map(str::to_owned));
        let second = story.arena.program().run(args).await;
        assert_eq!(second.code, Some(exit::REFUSED), "{second}");
        assert!(second.says(&format!("pid {}", first.pid())), "{second}");
        story.arena.tape().release();
        first.end().await.expect_success("the first run");
        story.check_nothing_left().await;
    })
    .await;
}

/// Both have done their preflight before either takes the lock, or not: one works in any case.
async fn two_at_once(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let args = story.arena.move_args(&story.tag);
        let mut one = story.arena.program().start(args.clone());
        let mut two = story.arena.program().start(args);
        let (one, two) = tokio::join!(one.end(), two.end());
        let (done, refused) = if one.succeeded() { (one, two) } else { (two, one) };
        let done = done.expect_success("one of two runs");
        // The one that comes after the other's end finds nothing in the namespace any more.
        let wanted = [Some(exit::REFUSED), Some(exit::NOTHING)];
        assert!(wanted.contains(&refused.code), "{refused}\nthe other: {done}");
        story.check_nothing_left().await;
    })
    .await;
}

/// What the backward run finds depends on how far the forward one is; it must never do harm.
async fn two_at_once_opposite(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let mut backwards = story.arena.args_backwards("move");
        backwards.extend(["-n", &story.tag, "--yes"].map(str::to_owned));
        let mut one = story.arena.program().start(story.arena.move_args(&story.tag));
        let mut two = story.arena.program().start(backwards);
        let (one, two) = tokio::join!(one.end(), two.end());
        one.expect_success("the only run with something to move");
        let wanted = [Some(exit::REFUSED), Some(exit::NOTHING)];
        assert!(wanted.contains(&two.code), "{two}");
        story.check_nothing_left().await;
    })
    .await;
}

async fn resume_of_a_living_run(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let mut first = story.start_until(while_copying(3, Fault::HoldBefore)).await;
        for command in ["resume", "rollback"] {
            let second = story.run(command, &[]).await;
            assert_eq!(second.code, Some(exit::REFUSED), "{command}: {second}");
            assert!(second.says(&format!("pid {}", first.pid())), "{command}: {second}");
        }
        story.arena.tape().release();
        first.end().await.expect_success("the first run");
        story.check_nothing_left().await;
    })
    .await;
}

async fn taken_over_while_copying(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let mut first = story.start_until(while_copying(5, Fault::HoldBefore)).await;
        take_over(&story.arena.pair().target).await;
        let held = story.arena.tape().writes().len();
        let outcome = first_noticed(&story, &mut first, held).await;
        assert_eq!(outcome.code, Some(exit::UNFINISHED), "{outcome}");
        assert!(outcome.says("lock"), "{outcome}");
        story.arena.remove_leases_of(&story.arena.pair().target).await;
        story.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        story.check_nothing_left().await;
    })
    .await;
}

async fn lost_while_deleting(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let mut first = story.start_until(while_deleting(5, Fault::HoldBefore)).await;
        story.arena.remove_leases_of(&story.arena.pair().source).await;
        let held = story.arena.tape().writes().len();
        let outcome = first_noticed(&story, &mut first, held).await;
        assert_eq!(outcome.code, Some(exit::UNFINISHED), "{outcome}");
        story.run("resume", &["--force-unlock"]).await.expect_success("resume");
        story.check_nothing_left().await;
    })
    .await;
}

/// Waits until the run has tried to renew its lease, in vain, and lets it go on: nothing is written
/// any more but to Leases, without success, beside the request that was kept.
async fn first_noticed(
    story: &Story,
    run: &mut kubectl_pivot_tests::program::Running,
    held: usize,
) -> kubectl_pivot_tests::program::Outcome {
    let tape = story.arena.tape();
    let has_failed = |write: &kubectl_pivot_tests::proxy::Write| {
        write.call.is_lease() && matches!(write.status, Some(404 | 409))
    };
    while !tape.writes().iter().any(has_failed) {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // The program reads the Lease once more to tell who has it now; then it knows.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    tape.release();
    let outcome = run.end().await;
    let writes = tape.writes();
    let after = writes.iter().skip(held).filter(|write| !write.call.is_lease());
    let after: Vec<_> = after.map(|write| (&write.call.method, &write.call.path)).collect();
    assert!(after.is_empty(), "written without the lock: {after:#?}\n{outcome}");
    outcome
}

/// Somebody else holds the Lease from now on.
async fn take_over(plane: &Plane) {
    let mut lease: Object = leases(plane.client()).await.remove(0);
    lease.value_mut()["spec"]["holderIdentity"] = "somebody else".into();
    let (kind, options) = (lease_type(), WriteOptions::manager("kubectl-edit"));
    let taken = plane.client().update(&kind, &lease, &options).await;
    taken.expect("a Lease can be taken over");
}
