//! Random owner graphs: whatever clusterctl moves, we move, and nothing else.

use std::env;
use std::sync::Arc;

use kubectl_pivot_tests::population::random::{Graph, graphs};
use kubectl_pivot_tests::suite::Suite;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::Parity;
use crate::alike::{Scope, populations_move_alike};

/// Seed when the environment does not say another.
const SEED: u64 = 20_261_122;
/// Graphs when the environment does not say another number.
const GRAPHS: u64 = 12;
/// Smaller graphs that are tried after a failure.
const SHRINKS: usize = 12;

pub(crate) fn add(suite: Suite<Parity>) -> Suite<Parity> {
    suite.case("random_owner_graphs", random_owner_graphs)
}

/// `PROOF_SEED` and `PROOF_GRAPHS` repeat or widen a run.
async fn random_owner_graphs(parity: Arc<Parity>) {
    let number =
        |name: &str, default| env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let first = number("PROOF_SEED", SEED);
    for seed in first..first + number("PROOF_GRAPHS", GRAPHS) {
        let mut tree = graphs().new_tree(&mut runner(seed)).expect("the strategy has no filters");
        let mut attempt = 0;
        let Err(mut failure) = check(&parity, &tree.current(), seed, attempt).await else {
            continue;
        };
        let mut smallest = tree.current();
        let mut more = tree.simplify();
        while more && attempt < SHRINKS {
            attempt += 1;
            more = match check(&parity, &tree.current(), seed, attempt).await {
                Ok(()) => tree.complicate(),
                Err(smaller) => {
                    (failure, smallest) = (smaller, tree.current());
                    tree.simplify()
                }
            };
        }
        panic!("PROOF_SEED={seed} PROOF_GRAPHS=1: {failure}\nsmallest graph found: {smallest:#?}");
    }
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

async fn check(parity: &Parity, graph: &Graph, seed: u64, attempt: usize) -> Result<(), String> {
    let namespace = format!("random-{seed}-{attempt}");
    let scope = Scope { case: "random_owner_graphs", namespace: &namespace, others: &[] };
    populations_move_alike(parity, &scope, &graph.population(&namespace)).await.map(drop)
}
