//! Points at which runs are killed.

use kubectl_pivot_tests::proxy::Fault;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::scenario::Recorded;

/// Chooses every point instead of a sample.
const FULL: (&str, &str) = ("KUBECTL_PIVOT_KILL_MATRIX", "full");

/// Points of a sample of resumed runs.
const SAMPLE: usize = 2;

/// A point of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kill {
    /// Number of the write.
    pub(crate) write: usize,
    /// True if it is carried out.
    pub(crate) after: bool,
}

impl Kill {
    /// Work of the proxy for it.
    pub(crate) fn fault(self) -> Fault {
        if self.after { Fault::HoldAfter } else { Fault::HoldBefore }
    }
}

/// Chooses points of a recorded run.
pub(crate) struct Points<'a> {
    recorded: &'a Recorded,
    dice: StdRng,
    full: bool,
}

impl<'a> Points<'a> {
    pub(crate) fn of(recorded: &'a Recorded, seed: u64) -> Self {
        let full = std::env::var(FULL.0).is_ok_and(|value| value == FULL.1);
        Self { recorded, dice: StdRng::seed_from_u64(seed), full }
    }

    /// Every point, or some of those at the changes of phase and in each phase.
    pub(crate) fn resumable(&mut self) -> Vec<Kill> {
        if self.full {
            return all(1..=self.recorded.writes());
        }
        let changes = self.recorded.changes();
        let mut points: Vec<Kill> =
            changes.iter().map(|write| Kill { write: *write, after: true }).collect();
        points.push(Kill { write: 1, after: false });
        for phase in changes.windows(2).filter(|phase| phase[1] - phase[0] > 2) {
            points.push(self.one(phase[0] + 1..=phase[1] - 1));
        }
        while points.len() > SAMPLE {
            let left_out = self.dice.random_range(0..points.len());
            points.swap_remove(left_out);
        }
        points
    }

    /// Every point before the commit, or some.
    pub(crate) fn undoable(&mut self) -> Vec<Kill> {
        let commit = self.recorded.commit();
        if self.full {
            let committed = Kill { write: commit, after: true };
            return all(1..=commit).into_iter().filter(|point| *point != committed).collect();
        }
        let mut points = vec![Kill { write: 1, after: true }, Kill { write: commit, after: false }];
        points.push(self.one(2..=commit - 1));
        points
    }

    /// Some points of runs whose order is not known.
    pub(crate) fn anywhere(&mut self) -> Vec<Kill> {
        let count = if self.full { 40 } else { 1 };
        (0..count).map(|_| self.one(2..=self.recorded.writes())).collect()
    }

    /// Some pairs: one of the run, one of the run that resumes it.
    pub(crate) fn in_pairs(&mut self) -> Vec<[Kill; 2]> {
        let count = if self.full { 60 } else { 1 };
        let pair = |points: &mut Self| {
            let first = points.one(2..=points.recorded.writes() - 1);
            let left = points.recorded.writes() - first.write;
            [first, points.one(1..=left.max(1))]
        };
        (0..count).map(|_| pair(self)).collect()
    }

    /// Some pairs: one of the run before its commit, one of the rollback.
    pub(crate) fn of_rollbacks(&mut self) -> Vec<[Kill; 2]> {
        let count = if self.full { 40 } else { 1 };
        let commit = self.recorded.commit();
        let pair = |points: &mut Self| {
            let first = points.one(commit / 2..=commit - 1);
            [first, points.one(3..=first.write)]
        };
        (0..count).map(|_| pair(self)).collect()
    }

    fn one(&mut self, writes: std::ops::RangeInclusive<usize>) -> Kill {
        let writes: Vec<usize> = writes.collect();
        let write = *writes.choose(&mut self.dice).expect("a range that is not empty");
        Kill { write, after: self.dice.random() }
    }
}

fn all(writes: std::ops::RangeInclusive<usize>) -> Vec<Kill> {
    // What is right before a write is what was right after the one before, but for what the program
    // has read since: so all of one side first.
    let side = |after| writes.clone().map(move |write| Kill { write, after });
    side(true).chain(side(false)).collect()
}
