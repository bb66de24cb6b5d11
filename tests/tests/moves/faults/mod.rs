//! Faults while a move runs: it ends as if there had been none, or puts everything back.

mod answers;
mod ends;
mod field_managers;
mod held;
mod hostile;
mod late;
mod neighbours;
mod panics;
mod servers;
mod tokens;
mod unlabelled;

use std::sync::Arc;

use kubectl_pivot_tests::authenticator::Authenticator;
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxied_pair::{Ends, ProxiedPair};
use kubectl_pivot_tests::proxy::Rule;
use kubectl_pivot_tests::suite::Suite;

/// Exit code of a move that has put everything back.
const UNDONE: i32 = 5;

/// Exit code of a move that is neither finished nor put back.
const UNFINISHED: i32 = 6;

/// State that the cases share.
pub(crate) struct FaultBench {
    undisturbed: Ends,
    proxied_pair: Arc<ProxiedPair>,
    authenticator: Arc<Authenticator>,
}

impl FaultBench {
    /// Moves once without faults.
    pub(crate) async fn set(
        proxied_pair: Arc<ProxiedPair>,
        authenticator: Arc<Authenticator>,
    ) -> Self {
        Self { undisturbed: undisturbed(&proxied_pair).await, proxied_pair, authenticator }
    }
}

pub(crate) fn suite() -> Suite<FaultBench> {
    let suite = answers::add(Suite::new());
    let suite = unlabelled::add(suite);
    let suite = neighbours::add(suite);
    let suite = tokens::add(suite);
    let suite = field_managers::add(suite);
    let suite = hostile::add(suite);
    let suite = held::add(suite);
    let suite = ends::add(suite);
    let suite = late::add(suite);
    let suite = panics::add(suite);
    servers::add(suite)
}

/// The result of a move without faults.
async fn undisturbed(proxied_pair: &ProxiedPair) -> Ends {
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    proxied_pair
        .program()
        .run(move_args(proxied_pair, &tag))
        .await
        .expect_success("the undisturbed move");
    let ends = proxied_pair.ends(&tag).await;
    proxied_pair.clean_up(&tag).await;
    ends
}

/// A move with as many writes in flight as the program likes.
fn move_args(proxied_pair: &ProxiedPair, tag: &str) -> Vec<String> {
    let mut args = proxied_pair.args("move");
    args.extend(["-n", tag, "--yes"].map(str::to_owned));
    args
}

/// Moves a fresh population under these rules: it has to come to the same as without them.
async fn moves_nevertheless(
    fault_bench: &FaultBench,
    rules: impl IntoIterator<Item = Rule>,
) -> Outcome {
    let proxied_pair = &fault_bench.proxied_pair;
    let tag = fresh(proxied_pair).await;
    rules.into_iter().for_each(|rule| proxied_pair.traffic().rule(rule));
    let moved =
        proxied_pair.program().run(move_args(proxied_pair, &tag)).await.expect_success("the move");
    check_moved(fault_bench, &tag).await;
    proxied_pair.clean_up(&tag).await;
    moved
}

/// A fresh population in the source, and no Lease of earlier runs.
async fn fresh(proxied_pair: &ProxiedPair) -> String {
    proxied_pair.remove_leases().await;
    let tag = proxied_pair.tag();
    proxied_pair.populate(&tag).await;
    tag
}

async fn check_moved(fault_bench: &FaultBench, tag: &str) {
    let ends = fault_bench.proxied_pair.ends(tag).await;
    fault_bench.undisturbed.check_same(&ends).unwrap_or_else(|text| panic!("{text}"));
    check_nothing_left(&fault_bench.proxied_pair, tag).await;
}

async fn check_nothing_left(proxied_pair: &ProxiedPair, tag: &str) {
    let left = proxied_pair.leftovers(tag).await;
    assert!(left.is_empty(), "{left:#?}");
}

type Shared = Arc<FaultBench>;
