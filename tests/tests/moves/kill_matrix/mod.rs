//! Killed at any write, resumed or rolled back from another machine: as if nothing had happened.
//!
//! An uninterrupted run is recorded. Then, point by point, the same move is killed right before a
//! write is sent or right after it was carried out, and finished by a new process that knows
//! nothing. A sample of all points runs by default, all of them with
//! `KUBECTL_PIVOT_KILL_MATRIX=full`.

mod points;
mod scenario;

use std::sync::Arc;
use std::time::Instant;

use kubectl_pivot_tests::proxied_pair::{ProxiedPair, tell};
use kubectl_pivot_tests::suite::Suite;

use self::points::{Kill, Points};
use self::scenario::{Recorded, record, resumed, rolled_back};

/// State that the cases share.
pub(crate) struct Matrix {
    recorded: Recorded,
    proxied_pair: Arc<ProxiedPair>,
}

impl Matrix {
    /// Records a run that nothing interrupts.
    pub(crate) async fn set(proxied_pair: Arc<ProxiedPair>) -> Self {
        Self { recorded: record(&proxied_pair, ONE_BY_ONE).await, proxied_pair }
    }
}

/// Writes in flight of the runs that are repeated write by write.
const ONE_BY_ONE: usize = 1;
/// The program's own choice.
const DEFAULT: usize = 16;

pub(crate) fn suite() -> Suite<Matrix> {
    Suite::new()
        .case("a_run_of_several_writes_at_once_ends_the_same", several_at_once)
        .case("resumed_after_a_kill", resumed_after_a_kill)
        .case("resumed_after_a_kill_with_several_writes_at_once", resumed_several_at_once)
        .case("resumed_after_two_kills", resumed_after_two_kills)
        .case("rolled_back_after_a_kill", rolled_back_after_a_kill)
        .case("rolled_back_after_a_killed_rollback", rolled_back_after_a_killed_rollback)
}

async fn several_at_once(matrix: Arc<Matrix>) {
    let other = record(&matrix.proxied_pair, DEFAULT).await;
    other.check_same(&matrix.recorded);
}

async fn resumed_after_a_kill(matrix: Arc<Matrix>) {
    let points = Points::of(&matrix.recorded, matrix.proxied_pair.seed()).resumable();
    let mut tally = Tally::new("resumed", points.len());
    for kill in points {
        tally.add(kill, resumed(&matrix.proxied_pair, &matrix.recorded, ONE_BY_ONE, &[kill]).await);
    }
    tally.check();
}

async fn resumed_several_at_once(matrix: Arc<Matrix>) {
    let points = Points::of(&matrix.recorded, matrix.proxied_pair.seed()).anywhere();
    let mut tally = Tally::new("resumed, several writes at once", points.len());
    for kill in points {
        tally.add(kill, resumed(&matrix.proxied_pair, &matrix.recorded, DEFAULT, &[kill]).await);
    }
    tally.check();
}

async fn resumed_after_two_kills(matrix: Arc<Matrix>) {
    let points = Points::of(&matrix.recorded, matrix.proxied_pair.seed()).in_pairs();
    let mut tally = Tally::new("resumed after two kills", points.len());
    for kills in points {
        let result = resumed(&matrix.proxied_pair, &matrix.recorded, ONE_BY_ONE, &kills).await;
        tally.add(kills, result);
    }
    tally.check();
}

async fn rolled_back_after_a_kill(matrix: Arc<Matrix>) {
    let points = Points::of(&matrix.recorded, matrix.proxied_pair.seed()).undoable();
    let mut tally = Tally::new("rolled back", points.len());
    for kill in points {
        tally.add(kill, rolled_back(&matrix.proxied_pair, kill).await);
    }
    tally.check();
}

async fn rolled_back_after_a_killed_rollback(matrix: Arc<Matrix>) {
    let points = Points::of(&matrix.recorded, matrix.proxied_pair.seed()).of_rollbacks();
    let mut tally = Tally::new("rolled back after a killed rollback", points.len());
    for kills in points {
        let result = scenario::rolled_back_after_rollback(&matrix.proxied_pair, kills).await;
        tally.add(kills, result);
    }
    tally.check();
}

/// Number of points that have passed, and the problems of the others.
struct Tally {
    what: &'static str,
    total: usize,
    passed: usize,
    failures: Vec<String>,
    begun: Instant,
}

impl Tally {
    fn new(what: &'static str, total: usize) -> Self {
        Self { what, total, passed: 0, failures: Vec::new(), begun: Instant::now() }
    }

    fn add(&mut self, point: impl std::fmt::Debug, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(problem) => {
                tell(&format!("killed at {point:?}: {problem}"));
                self.failures.push(format!("{point:?}"));
            }
        }
        let done = self.passed + self.failures.len();
        if done.is_multiple_of(20) {
            tell(&format!(
                "{}: {} of {done} passed so far, {} to do",
                self.what,
                self.passed,
                self.total - done
            ));
        }
    }

    fn check(self) {
        let Self { what, total, passed, failures, begun } = self;
        tell(&format!("{what}: {passed} of {total} points, {} s", begun.elapsed().as_secs()));
        assert!(failures.is_empty(), "{what}: {passed} of {total} points; not: {failures:?}");
    }
}

impl std::fmt::Debug for Kill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", if self.after { "after " } else { "before " }, self.write)
    }
}
