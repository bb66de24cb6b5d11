//! Faults while a move runs: it ends as if there had been none, or puts everything back.

mod answers;
mod field_managers;
mod held;
mod hostile;
mod late;
mod neighbours;
mod panics;
mod servers;
mod strangers;
mod tokens;

use std::sync::Arc;

use kubectl_pivot_tests::arena::{Arena, Ends};
use kubectl_pivot_tests::authenticator::Authenticator;
use kubectl_pivot_tests::program::Outcome;
use kubectl_pivot_tests::proxy::Rule;
use kubectl_pivot_tests::suite::Suite;

/// Exit code of a move that has put everything back.
const UNDONE: i32 = 5;

/// Exit code of a move that is neither finished nor put back.
const UNFINISHED: i32 = 6;

/// State that the cases share.
pub(crate) struct Stormy {
    undisturbed: Ends,
    arena: Arc<Arena>,
    authenticator: Arc<Authenticator>,
}

impl Stormy {
    /// Moves once without faults.
    pub(crate) async fn set(arena: Arc<Arena>, authenticator: Arc<Authenticator>) -> Self {
        Self { undisturbed: undisturbed(&arena).await, arena, authenticator }
    }
}

pub(crate) fn suite() -> Suite<Stormy> {
    let suite = answers::add(Suite::new());
    let suite = strangers::add(suite);
    let suite = neighbours::add(suite);
    let suite = tokens::add(suite);
    let suite = field_managers::add(suite);
    let suite = hostile::add(suite);
    let suite = held::add(suite);
    let suite = late::add(suite);
    let suite = panics::add(suite);
    servers::add(suite)
}

/// The result of a move without faults.
async fn undisturbed(arena: &Arena) -> Ends {
    let tag = arena.tag();
    arena.populate(&tag).await;
    arena.program().run(move_args(arena, &tag)).await.expect_success("the undisturbed move");
    let ends = arena.ends(&tag).await;
    arena.clean_up(&tag).await;
    ends
}

/// A move with as many writes in flight as the program likes.
fn move_args(arena: &Arena, tag: &str) -> Vec<String> {
    let mut args = arena.args("move");
    args.extend(["-n", tag, "--yes"].map(str::to_owned));
    args
}

/// Moves a fresh population under these rules: it has to come to the same as without them.
async fn moves_nevertheless(stormy: &Stormy, rules: impl IntoIterator<Item = Rule>) -> Outcome {
    let arena = &stormy.arena;
    let tag = fresh(arena).await;
    rules.into_iter().for_each(|rule| arena.tape().rule(rule));
    let moved = arena.program().run(move_args(arena, &tag)).await.expect_success("the move");
    check_moved(stormy, &tag).await;
    arena.clean_up(&tag).await;
    moved
}

/// A fresh population in the source, and no Lease of earlier runs.
async fn fresh(arena: &Arena) -> String {
    arena.remove_leases().await;
    let tag = arena.tag();
    arena.populate(&tag).await;
    tag
}

async fn check_moved(stormy: &Stormy, tag: &str) {
    let ends = stormy.arena.ends(tag).await;
    stormy.undisturbed.check_same(&ends).unwrap_or_else(|text| panic!("{text}"));
    check_nothing_left(&stormy.arena, tag).await;
}

async fn check_nothing_left(arena: &Arena, tag: &str) {
    let left = arena.leftovers(tag).await;
    assert!(left.is_empty(), "{left:#?}");
}

type Shared = Arc<Stormy>;
