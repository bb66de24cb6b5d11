//! Probes that stand behind a move: they change nothing any more, but the exit code.

use std::sync::Arc;

use kubectl_pivot_plugin_api::{Probe, ProbeCluster, ProbeStage};
use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

use super::{Story, create, create_available, exit, impatient, outcomes, set_available, watches};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .thorough("the_target_is_waited_for_after_the_move", waits)
        .case("a_probe_that_does_not_hold_after_the_move_undoes_nothing", not_verified)
        .thorough("an_interrupt_after_the_move_ends_the_waiting", interrupted)
        .thorough("resume_waits_for_the_target_too", resume)
}

fn after(story: &Story) -> Probe {
    story.probe().on(ProbeCluster::Target).at(&[ProbeStage::AfterMove])
}

async fn waits(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let target = &story.arena.pair().target;
    create(target, &story.deployment()).await;
    let mut running = story.start_until(&[after(&story)], watches).await;
    // By now the move is done, and so is its lock.
    let left = story.arena.leftovers(&story.tag).await;
    assert!(left.is_empty(), "{left:#?}");
    story.arena.tape().release();
    set_available(target, &story.deployment(), "True").await;
    let moved = running.end().await.expect_success("the move");
    assert_eq!(outcomes(&moved.json()), ["controller held"], "{moved}");
    story.check_moved(&moved).await;
    story.end().await;
}

async fn not_verified(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create(&story.arena.pair().target, &story.deployment()).await;
    let moved = story.run(&[impatient(after(&story))], &[]).await;
    assert_eq!(moved.code, Some(exit::NOT_VERIFIED), "{moved}");
    for part in [
        "Moved ",
        "PROBES   0 of 1 hold",
        "probe probing/controller did not hold within 1 s in the target cluster",
        "no status.conditions",
        "the move is done and is not undone",
    ] {
        assert!(moved.stdout.contains(part), "`{part}` is not said: {moved}");
    }
    story.check_moved(&moved).await;
    story.end().await;
}

async fn interrupted(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    create(&story.arena.pair().target, &story.deployment()).await;
    let mut running = story.start_until(&[after(&story)], watches).await;
    story.arena.tape().release();
    running.interrupt();
    let moved = running.end().await;
    assert_eq!(moved.code, Some(exit::NOT_VERIFIED), "{moved}");
    assert_eq!(outcomes(&moved.json()), ["controller interrupted"], "{moved}");
    story.check_moved(&moved).await;
    story.end().await;
}

async fn resume(arena: Arc<Arena>) {
    let story = Story::begin(arena).await;
    let is_delete =
        |call: &Call| call.method == "DELETE" && call.side == Side::Source && !call.is_lease();
    let mut killed = story.start_until(&[], is_delete).await;
    killed.kill();
    killed.end().await;
    story.arena.tape().cut().await;
    story.arena.tape().begin_run();
    story.arena.free_leases().await;
    create_available(&story.arena.pair().target, &story.deployment()).await;
    // Once it holds nothing of before the move is looked at.
    let is_source = |call: &Call| call.side == Side::Source && call.is_about("deployments");
    story.arena.tape().rule(Rule::when(is_source, Fault::Silence));
    let mut args = story.arena.args("resume");
    args.extend(["-o", "json"].map(str::to_owned));
    let program = story.program(&[story.probe(), after(&story)]);
    let resumed = program.run(args).await.expect_success("resume");
    assert_eq!(outcomes(&resumed.json()), ["controller held"], "{resumed}");
    story.check_moved(&resumed).await;
    story.end().await;
}
