//! Ctrl-C, once and twice.

use std::sync::Arc;

use kubectl_pivot_tests::arena::Arena;
use kubectl_pivot_tests::proxy::Fault;
use kubectl_pivot_tests::suite::Suite;

use crate::{exit, while_copying, while_deleting, with_story};

pub(crate) fn add(suite: Suite<Arena>) -> Suite<Arena> {
    suite
        .case("ctrl_c_while_copying_puts_everything_back", while_it_copies)
        .case("ctrl_c_while_deleting_finishes_the_move", while_it_deletes)
        .case("the_second_ctrl_c_exits_at_once", twice)
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

async fn twice(arena: Arc<Arena>) {
    with_story(arena, |story| async move {
        let before = story.arena.ends(&story.tag).await;
        let mut running = story.start_until(while_copying(8, Fault::HoldAfter)).await;
        running.interrupt();
        // One signal may swallow another that comes before it was handled.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        running.interrupt();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        story.arena.tape().cut().await;
        story.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        story.check_put_back(&before).await;
        story.check_nothing_left().await;
    })
    .await;
}
