//! Random owner graphs: whatever clusterctl moves, we move, and nothing else; but for graphs of
//! which something would be lost, which we refuse.

use std::collections::BTreeSet;
use std::env;
use std::sync::Arc;

use capi::Object;
use kubectl_pivot_tests::dump::{RawDump, identity};
use kubectl_pivot_tests::population::random::{Graph, graphs};
use kubectl_pivot_tests::suite::Suite;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::Parity;
use crate::alike::{Scope, moves_alike};

/// Seed when the environment does not say another.
const SEED: u64 = 20_261_122;
/// Graphs when the environment does not say another number.
const GRAPHS: u64 = 4;
/// Times that a graph is made smaller until nothing of it is refused.
const ROUNDS: usize = 5;
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

/// Moves the graph alike. What we refuse to move, by what clusterctl leaves of it, is taken out
/// before.
async fn check(parity: &Parity, graph: &Graph, seed: u64, attempt: usize) -> Result<(), String> {
    let mut graph = graph.clone();
    for round in 0..ROUNDS {
        let namespace = format!("random-{seed}-{attempt}-{round}");
        let population = graph.population(&namespace);
        parity.twins.populate(&population).await;
        let lost = refused(parity, &namespace).await?;
        if lost.is_empty() {
            let scope = Scope { case: "random_owner_graphs", namespace: &namespace, others: &[] };
            return moves_alike(parity, &scope).await.map(drop);
        }
        let Left { torn, collected } = leave(parity, &namespace).await;
        if !collected.is_subset(&lost) || !lost.is_subset(&torn) {
            return Err(format!(
                "clusterctl leaves {torn:?}, of which {collected:?} would be collected; we report \
                 {lost:?}"
            ));
        }
        graph = graph.without(&lost);
    }
    Err(format!("something is lost again and again in {graph:#?}"))
}

/// The names of the objects for which we refuse the move.
async fn refused(parity: &Parity, namespace: &str) -> Result<BTreeSet<String>, String> {
    let ours = &parity.twins.ours;
    let mut args = ours.move_args(namespace);
    args.extend(["--dry-run", "-o", "json"].map(str::to_owned));
    let report = parity.fixture.kubectl_pivot().run(args).await.json();
    let mut names = BTreeSet::new();
    for finding in report["findings"].as_array().into_iter().flatten() {
        if finding["severity"] != "error" {
            continue;
        }
        if !["TornHierarchy", "WouldBeCollected"].iter().any(|rule| finding["rule"] == *rule) {
            return Err(format!("an unexpected finding: {finding:#}"));
        }
        let objects = finding["objects"].as_array().into_iter().flatten();
        let all = objects.chain([&finding["object"]]).filter_map(|object| object["name"].as_str());
        names.extend(all.map(str::to_owned));
    }
    Ok(names)
}

/// Objects that a move by clusterctl has left behind although it has deleted an owner.
struct Left {
    torn: BTreeSet<String>,
    /// Those that are in neither cluster afterwards.
    collected: BTreeSet<String>,
}

/// Whose owners an object has is read before the move: the garbage collector removes references to
/// owners that are gone from what has another owner.
async fn leave(parity: &Parity, namespace: &str) -> Left {
    let theirs = &parity.twins.theirs;
    let before = theirs.source.dump_at_rest(&[namespace]).await;
    let moved = theirs.move_by_clusterctl(&parity.fixture, namespace).await;
    moved.expect_success("clusterctl move");
    let after = theirs.source.dump_at_rest(&[namespace]).await;
    let arrived = theirs.target.dump_at_rest(&[namespace]).await;
    let names =
        |dump: &RawDump| -> BTreeSet<String> { dump.objects().iter().map(identity).collect() };
    let (names_before, names_after, names_arrived) =
        (names(&before), names(&after), names(&arrived));
    let gone: BTreeSet<&str> = before
        .objects()
        .iter()
        .filter(|object| !names_after.contains(&identity(object)))
        .map(Object::uid)
        .collect();
    assert!(names_after.is_subset(&names_before), "clusterctl creates nothing in its source");
    let mut left = Left { torn: BTreeSet::new(), collected: BTreeSet::new() };
    for object in before.objects() {
        if names_arrived.contains(&identity(object)) {
            continue;
        }
        if gone.contains(object.uid()) {
            left.collected.insert(object.name().to_owned());
        }
        let owners = object.owner_references();
        if gone.contains(object.uid()) || owners.iter().any(|owner| gone.contains(&*owner.uid)) {
            left.torn.insert(object.name().to_owned());
        }
    }
    left
}
