//! Ctrl-C and other signals, once and twice.

use std::path::Path;
use std::sync::Arc;

use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::proxy::Fault;
use kubectl_pivot_tests::suite::Suite;

use super::{exit, while_copying, while_deleting, with_story};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("ctrl_c_while_copying_puts_everything_back", while_it_copies)
        .thorough("ctrl_c_while_deleting_finishes_the_move", while_it_deletes)
        .thorough("sigterm_while_copying_puts_everything_back", |arena| {
            ended_by_a_signal(arena, "TERM")
        })
        .thorough("sighup_while_copying_puts_everything_back", |arena| {
            ended_by_a_signal(arena, "HUP")
        })
        .thorough("sighup_that_is_ignored_from_the_start_stays_ignored", like_nohup)
        .thorough("the_second_ctrl_c_exits_at_once", |arena| twice(arena, "INT"))
        .thorough("sigterm_after_a_ctrl_c_exits_at_once", |arena| twice(arena, "TERM"))
}

async fn while_it_copies(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.arena.ends(&story.tag).await;
        let mut running = story.start_until(while_copying(8, Fault::HoldAfter)).await;
        running.interrupt();
        story.arena.tape().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        story.check_put_back(&before).await;
        story.check_nothing_left().await;
    })
    .await;
}

async fn while_it_deletes(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let mut running = story.start_until(while_deleting(5, Fault::HoldAfter)).await;
        running.interrupt();
        story.arena.tape().release();
        running.end().await.expect_success("a move that is past its point of no return");
        story.check_nothing_left().await;
    })
    .await;
}

/// A signal that CI systems, Jobs and systemd send before they kill, or a terminal that goes away.
async fn ended_by_a_signal(arena: Arc<Arena>, signal: &'static str) {
    with_story(arena, |story| async move {
        let before = story.arena.ends(&story.tag).await;
        let mut running = story.start_until(while_copying(8, Fault::HoldAfter)).await;
        running.signal(signal);
        story.arena.tape().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        story.check_put_back(&before).await;
        story.check_nothing_left().await;
    })
    .await;
}

async fn like_nohup(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let program = story.arena.program();
        let path = program.path().display().to_string();
        let script = ["-c", "trap '' HUP; exec \"$0\" \"$@\"", &path].map(str::to_owned);
        let shell = Program::new(Path::new("/bin/sh"), program.home());
        let args = script.into_iter().chain(story.arena.move_args(&story.tag));
        story.arena.tape().rule(while_copying(8, Fault::HoldAfter));
        let mut running = shell.start(args);
        story.arena.tape().held().await;
        running.signal("HUP");
        story.arena.tape().release();
        running.end().await.expect_success("a move that is to outlive its terminal");
        story.check_nothing_left().await;
    })
    .await;
}

async fn twice(arena: Arc<Arena>, second: &'static str) {
    with_story(arena, |story| async move {
        let before = story.arena.ends(&story.tag).await;
        let mut running = story.start_until(while_copying(8, Fault::HoldAfter)).await;
        running.interrupt();
        // One signal may swallow another that comes before it was handled.
        running.until_said("stopping at the next safe point").await;
        running.signal(second);
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        story.arena.tape().cut().await;
        story.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        story.check_put_back(&before).await;
        story.check_nothing_left().await;
    })
    .await;
}
