//! Ctrl-C and other signals, once and twice.

use std::path::Path;
use std::sync::Arc;

use kubectl_pivot_tests::program::Program;
use kubectl_pivot_tests::proxied_pair::ProxiedPair;
use kubectl_pivot_tests::proxy::Fault;
use kubectl_pivot_tests::suite::Suite;

use super::{exit, while_copying, while_deleting, with_scenario};

pub(crate) fn add(suite: Suite<ProxiedPair>) -> Suite<ProxiedPair> {
    suite
        .case("ctrl_c_while_copying_puts_everything_back", while_it_copies)
        .thorough("ctrl_c_while_deleting_finishes_the_move", while_it_deletes)
        .thorough("sigterm_while_copying_puts_everything_back", |proxied_pair| {
            ended_by_a_signal(proxied_pair, "TERM")
        })
        .thorough("sighup_while_copying_puts_everything_back", |proxied_pair| {
            ended_by_a_signal(proxied_pair, "HUP")
        })
        .thorough("sighup_that_is_ignored_from_the_start_stays_ignored", like_nohup)
        .thorough("the_second_ctrl_c_exits_at_once", |proxied_pair| twice(proxied_pair, "INT"))
        .thorough("sigterm_after_a_ctrl_c_exits_at_once", |proxied_pair| {
            twice(proxied_pair, "TERM")
        })
}

async fn while_it_copies(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let mut running = scenario.start_until(while_copying(8, Fault::HoldAfter)).await;
        running.interrupt();
        scenario.proxied_pair.traffic().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn while_it_deletes(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let mut running = scenario.start_until(while_deleting(5, Fault::HoldAfter)).await;
        running.interrupt();
        scenario.proxied_pair.traffic().release();
        running.end().await.expect_success("a move that is past its point of no return");
        scenario.check_nothing_left().await;
    })
    .await;
}

/// A signal that CI systems, Jobs and systemd send before they kill, or a terminal that goes away.
async fn ended_by_a_signal(proxied_pair: Arc<ProxiedPair>, signal: &'static str) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let mut running = scenario.start_until(while_copying(8, Fault::HoldAfter)).await;
        running.signal(signal);
        scenario.proxied_pair.traffic().release();
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn like_nohup(proxied_pair: Arc<ProxiedPair>) {
    with_scenario(proxied_pair, |scenario| async move {
        let program = scenario.proxied_pair.program();
        let path = program.path().display().to_string();
        let script = ["-c", "trap '' HUP; exec \"$0\" \"$@\"", &path].map(str::to_owned);
        let shell = Program::new(Path::new("/bin/sh"), program.home());
        let args = script.into_iter().chain(scenario.proxied_pair.move_args(&scenario.tag));
        scenario.proxied_pair.traffic().rule(while_copying(8, Fault::HoldAfter));
        let mut running = shell.start(args);
        scenario.proxied_pair.traffic().held().await;
        running.signal("HUP");
        scenario.proxied_pair.traffic().release();
        running.end().await.expect_success("a move that is to outlive its terminal");
        scenario.check_nothing_left().await;
    })
    .await;
}

async fn twice(proxied_pair: Arc<ProxiedPair>, second: &'static str) {
    with_scenario(proxied_pair, |scenario| async move {
        let before = scenario.proxied_pair.ends(&scenario.tag).await;
        let mut running = scenario.start_until(while_copying(8, Fault::HoldAfter)).await;
        running.interrupt();
        // One signal may swallow another that comes before it was handled.
        running.until_said("stopping at the next safe point").await;
        running.signal(second);
        let outcome = running.end().await;
        assert_eq!(outcome.code, Some(exit::INTERRUPTED), "{outcome}");
        scenario.proxied_pair.traffic().cut().await;
        scenario.run("rollback", &["--force-unlock"]).await.expect_success("rollback");
        scenario.check_put_back(&before).await;
        scenario.check_nothing_left().await;
    })
    .await;
}
