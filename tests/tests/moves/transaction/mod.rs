//! The lock, the record, and the commands around an interrupted run.

mod commit;
mod gone;
mod interrupts;
mod lock;
mod planned;
mod recovery;
mod screen;
mod unreadable;

use std::sync::Arc;

use kubectl_pivot_tests::program::{Outcome, Running};
use kubectl_pivot_tests::proxied_pair::{Ends, ProxiedPair};
use kubectl_pivot_tests::proxy::{Call, Fault, Rule, Side};
use kubectl_pivot_tests::suite::Suite;

/// Exit codes, as docs/reference/exit-codes.md states them.
mod exit {
    pub(crate) const REFUSED: i32 = 3;
    pub(crate) const NOTHING: i32 = 4;
    pub(crate) const UNDONE: i32 = 5;
    pub(crate) const UNFINISHED: i32 = 6;
    pub(crate) const INTERRUPTED: i32 = 130;
}

pub(crate) fn suite() -> Suite<ProxiedPair> {
    let suite = lock::add(Suite::new());
    let suite = recovery::add(suite);
    let suite = commit::add(suite);
    let suite = gone::add(suite);
    let suite = interrupts::add(suite);
    let suite = screen::add(suite);
    let suite = planned::add(suite);
    unreadable::add(suite)
}

/// Runs a case with a fresh scenario, and cleans up after one that went well; the next scenario does not
/// meet what a failed one leaves, but for its Leases, so those go in any case.
async fn with_scenario<F: Future<Output = ()>>(
    proxied_pair: Arc<ProxiedPair>,
    case: impl FnOnce(Scenario) -> F,
) {
    proxied_pair.remove_leases().await;
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    case(Scenario { proxied_pair: Arc::clone(&proxied_pair), tag: tag.clone() }).await;
    proxied_pair.clean_up(&tag).await;
}

/// A fresh population, and what can be done with it.
#[derive(Clone)]
struct Scenario {
    proxied_pair: Arc<ProxiedPair>,
    tag: String,
}

impl Scenario {
    /// Starts a move, one write after the other, and waits until it is kept by the rule.
    async fn start_until(&self, rule: Rule) -> Running {
        self.proxied_pair.traffic().begin_run();
        self.proxied_pair.traffic().rule(rule);
        let mut running = self.proxied_pair.program().start(self.proxied_pair.move_args(&self.tag));
        tokio::select! {
            outcome = running.end() => panic!("the move has ended before the fault: {outcome}"),
            () = self.proxied_pair.traffic().held() => running,
        }
    }

    /// Kills a move at the rule.
    async fn kill_at(&self, rule: Rule) {
        let mut running = self.start_until(rule).await;
        running.kill();
        running.end().await;
        self.proxied_pair.traffic().cut().await;
        self.proxied_pair.traffic().begin_run();
    }

    /// Runs a subcommand from source to target, with flags.
    async fn run(&self, command: &str, flags: &[&str]) -> Outcome {
        let mut args = self.proxied_pair.args(command);
        args.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self.proxied_pair.program().run(args).await
    }

    /// Moves the namespace.
    async fn run_move(&self) -> Outcome {
        self.proxied_pair.program().run(self.proxied_pair.move_args(&self.tag)).await
    }

    /// Checks that both clusters are as they were.
    async fn check_put_back(&self, before: &Ends) {
        let after = self.proxied_pair.ends(&self.tag).await;
        before.check_put_back(&after).unwrap_or_else(|text| panic!("{text}"));
    }

    /// Checks that nothing of the run is left on either side.
    async fn check_nothing_left(&self) {
        let left = self.proxied_pair.leftovers(&self.tag).await;
        assert!(left.is_empty(), "{left:#?}");
    }
}

/// Keeps the `skip + 1`st copy.
fn while_copying(skip: usize, fault: Fault) -> Rule {
    let is_copy = |call: &Call| {
        call.is_write() && call.method == "POST" && call.side == Side::Target && !call.is_lease()
    };
    Rule::when(is_copy, fault).skip(skip).times(1)
}

/// Keeps the `skip + 1`st deletion from the source.
fn while_deleting(skip: usize, fault: Fault) -> Rule {
    let is_delete =
        |call: &Call| call.method == "DELETE" && call.side == Side::Source && !call.is_lease();
    Rule::when(is_delete, fault).skip(skip).times(1)
}
