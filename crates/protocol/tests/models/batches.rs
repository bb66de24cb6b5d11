//! M3 `batches`: two units in batches, with a shared object of each sort above them.
//!
//! The Clusters `A` and `B`, a shared `K` above both, and in half of the runs a Secret `X` that
//! both own. Every step of a run is atomic and the runner has no memory but the record, so it may
//! stop, for good or for a while, in every state. Each batch goes through the phase machine by
//! itself.
//!
//! What is abstracted:
//! - A Cluster stands for its whole unit: `unit` explores the inside of one, `locks` the late
//!   messages.
//! - GitOps edits `K` in the source once. The record keeps the version of `K` that was copied:
//!   `is_fresh`.
//! - A controller of a selecting `K` acts where `K` is unpaused: it creates what hangs on a Cluster
//!   that it selects.
//! - A controller of an allocating `K` serves the unpaused Clusters of its side.
//! - The garbage collectors look at the owners of `X` only: it deletes `X` when no owner is left,
//!   and takes off the reference to one that is gone.

use protocol::{Phase, Step, Write};
use stateright::{Model, Property};

use crate::explore::{assert_finds, assert_holds};

const SOURCE: usize = 0;
const TARGET: usize = 1;
const SIDES: [usize; 2] = [SOURCE, TARGET];
const CLUSTERS: [usize; 2] = [0, 1];

/// Steps within which a lone runner ends a run.
const STEPS: usize = 48;

/// The rules of the protocol that a mutant leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    /// A Secret of two Clusters is shared: created before the first unit, deleted after the last.
    SecretOfTwoUnitsIsShared,
    /// Clusters that one selecting object selects are two units: it is active in the target after
    /// the first.
    SelectionIsSplit,
    /// The next batch starts although what both share has changed in the source since it was
    /// copied.
    NextBatchInSpiteOfEdit,
    /// Clusters that use one allocating object are two units.
    PoolIsSplit,
    /// A shared object is deleted by its uid, whatever was edited since its copy.
    SharedDeletedByUidOnly,
}

/// The sorts of shared objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sort {
    /// As a ClusterClass: live on both sides.
    Stateless,
    /// As a ClusterResourceSet: all Clusters that it selects are one unit.
    Selecting,
    /// As an IPAM pool: all its Clusters are one unit.
    Allocating,
}

/// The model; with a mutant, one rule is missing.
struct Batches {
    mutant: Option<Mutant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    sort: Sort,
    sides: [Side; 2],
    /// The batch in flight, and its phase.
    batch: usize,
    phase: Phase,
    /// A batch was rolled back: its unit stays in the source, and so does what is above it.
    was_rolled_back: bool,
    /// Nobody has changed `K` and `X` in the source since they were copied.
    is_fresh: Shared<bool>,
    has_stopped: bool,
    is_over: bool,
    history: History,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Side {
    clusters: [Option<Pause>; 2],
    shared: Option<SharedObject>,
    /// The owners that the Secret names; none without the Secret.
    secret: Option<[bool; 2]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Shared<T> {
    object: T,
    secret: T,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Pause {
    Paused,
    Active,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SharedObject {
    pause: Pause,
    is_edited: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct History {
    has_secret: bool,
    was_edited: bool,
    created_for_a_unit_in_flight: bool,
    began_with_a_stale_copy: bool,
    wrote_in_the_wrong_phase: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Run(Act),
    RollBack,
    Edit,
    Select { side: usize, cluster: usize },
    Collect { side: usize },
}

/// One step of the runner.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Pause(usize),
    PauseShared,
    CopyShared,
    CopySecret,
    Copy(usize),
    Delete { side: usize, cluster: usize },
    DeleteSecret(usize),
    Resume { side: usize, cluster: usize },
    ResumeShared(usize),
    Advance(Step),
    DropCopyOfShared,
    NextBatch,
    DeleteShared,
    End,
    Stop,
}

impl State {
    fn cluster(&self, side: usize, cluster: usize) -> Option<Pause> {
        self.sides[side].clusters[cluster]
    }

    fn shared_is_active(&self, side: usize) -> bool {
        self.sides[side].shared.as_ref().is_some_and(|shared| shared.pause == Pause::Active)
    }

    /// Returns whether a unit is between the two sides.
    fn is_in_flight(&self, cluster: usize) -> bool {
        SIDES.into_iter().all(|side| self.cluster(side, cluster).is_some())
    }

    fn serves(&self, side: usize) -> bool {
        let is_active = |cluster: &Option<Pause>| *cluster == Some(Pause::Active);
        self.shared_is_active(side) && self.sides[side].clusters.iter().any(is_active)
    }
}

impl Batches {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Returns the units of the plan, one for each batch.
    fn batches(&self, state: &State) -> &'static [&'static [usize]] {
        let shares_secret = state.history.has_secret && !self.is(Mutant::SecretOfTwoUnitsIsShared);
        let shares_pool = state.sort == Sort::Allocating && !self.is(Mutant::PoolIsSplit);
        let shares_selector = state.sort == Sort::Selecting && !self.is(Mutant::SelectionIsSplit);
        let is_one = shares_secret || shares_pool || shares_selector;
        if is_one { &[&[0, 1]] } else { &[&[0], &[1]] }
    }

    fn next(&self, state: &State) -> Option<Act> {
        if state.has_stopped || state.is_over {
            return None;
        }
        let Some(batch) = self.batches(state).get(state.batch) else {
            return Some(self.end(state));
        };
        let in_batch = |side: usize, pause: Option<Pause>| {
            batch.iter().copied().find(|cluster| state.cluster(side, *cluster) == pause)
        };
        let copied = |side: usize| {
            let mut there = batch.iter().copied();
            there.find(|cluster| state.cluster(side, *cluster).is_some())
        };
        let with_batch = state.history.has_secret && !self.is(Mutant::SecretOfTwoUnitsIsShared);
        Some(match state.phase {
            Phase::Preparing => self.prepare(state, batch),
            Phase::HandingOver => Act::Advance(Step::CopiesHandedOver),
            Phase::Deleting => {
                if with_batch && state.sides[SOURCE].secret.is_some() {
                    Act::DeleteSecret(SOURCE)
                } else if let Some(cluster) = copied(SOURCE) {
                    Act::Delete { side: SOURCE, cluster }
                } else {
                    Act::Advance(Step::SourceDeleted)
                }
            }
            Phase::Resuming => {
                if state.sort != Sort::Stateless && !state.shared_is_active(TARGET) {
                    Act::ResumeShared(TARGET)
                } else if let Some(cluster) = in_batch(TARGET, Some(Pause::Paused)) {
                    Act::Resume { side: TARGET, cluster }
                } else {
                    Act::Advance(Step::Resumed)
                }
            }
            Phase::Undoing => {
                let is_first = state.sides[TARGET].clusters == [None, None];
                if with_batch && state.sides[TARGET].secret.is_some() {
                    Act::DeleteSecret(TARGET)
                } else if let Some(cluster) = copied(TARGET) {
                    Act::Delete { side: TARGET, cluster }
                } else if is_first && state.sides[TARGET].secret.is_some() {
                    Act::DeleteSecret(TARGET)
                } else if is_first && state.sides[TARGET].shared.is_some() {
                    Act::DropCopyOfShared
                } else if let Some(cluster) = in_batch(SOURCE, Some(Pause::Paused)) {
                    Act::Resume { side: SOURCE, cluster }
                } else {
                    Act::Advance(Step::RolledBack)
                }
            }
            Phase::Finished => Act::NextBatch,
            Phase::Committed | Phase::Leaving | Phase::Left | Phase::Returning => return None,
        })
    }

    fn prepare(&self, state: &State, batch: &[usize]) -> Act {
        let pauses_shared = state.sort != Sort::Stateless;
        if pauses_shared && state.sides[TARGET].shared.is_none() && state.shared_is_active(SOURCE) {
            return Act::PauseShared;
        }
        if state.sides[TARGET].shared.is_none() {
            return Act::CopyShared;
        }
        if !state.is_fresh.object && !self.is(Mutant::NextBatchInSpiteOfEdit) {
            return Act::Stop;
        }
        let secret_comes_first = self.is(Mutant::SecretOfTwoUnitsIsShared);
        let lacks_secret = state.history.has_secret && state.sides[TARGET].secret.is_none();
        if secret_comes_first && lacks_secret {
            return Act::CopySecret;
        }
        for cluster in batch.iter().copied() {
            if state.cluster(SOURCE, cluster) == Some(Pause::Active) {
                return Act::Pause(cluster);
            }
        }
        for cluster in batch.iter().copied() {
            if state.cluster(TARGET, cluster).is_none() {
                return Act::Copy(cluster);
            }
        }
        if lacks_secret { Act::CopySecret } else { Act::Advance(Step::CopiesVerified) }
    }

    /// Returns the next step when all batches are over: what is shared goes last.
    fn end(&self, state: &State) -> Act {
        let is_left = state.sides[SOURCE].clusters != [None, None];
        for side in SIDES {
            let is_there = state.sides[side].shared.is_some();
            if is_there && !state.shared_is_active(side) && (side == TARGET || is_left) {
                return Act::ResumeShared(side);
            }
        }
        if is_left {
            return Act::End;
        }
        if state.sides[SOURCE].secret.is_some() {
            return if state.is_fresh.secret { Act::DeleteSecret(SOURCE) } else { Act::Stop };
        }
        match state.sides[SOURCE].shared.is_some() {
            true if state.is_fresh.object || self.is(Mutant::SharedDeletedByUidOnly) => {
                Act::DeleteShared
            }
            true => Act::Stop,
            false => Act::End,
        }
    }

    fn run(&self, state: &mut State, act: Act) {
        let write = match act {
            Act::Pause(_) | Act::PauseShared => Some(Write::PauseSource),
            Act::CopyShared | Act::CopySecret | Act::Copy(_) => Some(Write::CreateCopy),
            Act::Delete { side: SOURCE, .. } => Some(Write::DeleteSource),
            Act::Delete { .. } | Act::DropCopyOfShared => Some(Write::DeleteCopy),
            Act::Resume { side: SOURCE, .. } => Some(Write::ResumeSource),
            Act::Resume { .. } => Some(Write::ResumeTarget),
            _ => None,
        };
        state.history.wrote_in_the_wrong_phase |=
            write.is_some_and(|write| !state.phase.allows(write));
        let owners = CLUSTERS.map(|cluster| state.cluster(TARGET, cluster).is_some());
        let [source, target] = &mut state.sides;
        match act {
            Act::Pause(cluster) => {
                source.clusters[cluster] = Some(Pause::Paused);
                state.history.began_with_a_stale_copy |= !state.is_fresh.object;
            }
            Act::PauseShared => {
                source.shared.iter_mut().for_each(|shared| shared.pause = Pause::Paused);
            }
            Act::CopyShared => {
                target.shared.clone_from(&source.shared);
                state.is_fresh.object = true;
            }
            Act::CopySecret => target.secret = Some(owners),
            Act::Copy(cluster) => target.clusters[cluster] = Some(Pause::Paused),
            Act::Delete { side, cluster } => state.sides[side].clusters[cluster] = None,
            Act::DeleteSecret(side) => state.sides[side].secret = None,
            Act::Resume { side, cluster } => {
                state.sides[side].clusters[cluster] = Some(Pause::Active);
            }
            Act::ResumeShared(side) => {
                let shared = state.sides[side].shared.iter_mut();
                shared.for_each(|shared| shared.pause = Pause::Active);
            }
            Act::Advance(step) => {
                state.phase = state.phase.after(step).expect("a runner takes legal steps");
                state.was_rolled_back |= step == Step::RolledBack;
            }
            Act::DropCopyOfShared => {
                target.shared = None;
                source.shared.iter_mut().for_each(|shared| shared.pause = Pause::Active);
            }
            Act::NextBatch => {
                state.batch += 1;
                state.phase = state.phase.next_batch().expect("the batch before is over");
            }
            Act::DeleteShared => source.shared = None,
            Act::End => state.is_over = true,
            Act::Stop => state.has_stopped = true,
        }
    }

    fn collect(state: &mut State, side: usize) {
        let clusters = state.sides[side].clusters;
        let secret = &mut state.sides[side].secret;
        let Some(owners) = secret else { return };
        let left = CLUSTERS.map(|cluster| owners[cluster] && clusters[cluster].is_some());
        if left == [false, false] {
            *secret = None;
        } else if left != *owners {
            *owners = left;
            if side == SOURCE {
                state.is_fresh.secret = false;
            }
        }
    }

    /// Returns whether a runner alone ends the run, beside the garbage collectors. It may stop only
    /// if somebody has edited the source.
    fn ends(&self, state: &State) -> bool {
        let mut state = state.clone();
        for _ in 0..STEPS {
            if state.has_stopped {
                return state.history.was_edited;
            }
            let Some(act) = self.next(&state) else { break };
            self.run(&mut state, act);
            SIDES.into_iter().for_each(|side| Self::collect(&mut state, side));
        }
        state.is_over
    }
}

impl Model for Batches {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let sorts = [Sort::Stateless, Sort::Selecting, Sort::Allocating];
        let of = |sort, has_secret: bool| {
            let shared = SharedObject { pause: Pause::Active, is_edited: false };
            let source = Side {
                clusters: [Some(Pause::Active); 2],
                shared: Some(shared),
                secret: has_secret.then_some([true, true]),
            };
            State {
                sort,
                sides: [source, Side::default()],
                batch: 0,
                phase: Phase::Preparing,
                was_rolled_back: false,
                is_fresh: Shared { object: true, secret: true },
                has_stopped: false,
                is_over: false,
                history: History { has_secret, ..History::default() },
            }
        };
        sorts.into_iter().flat_map(|sort| [of(sort, false), of(sort, true)]).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if let Some(act) = self.next(state) {
            actions.push(Action::Run(act));
        }
        let is_running = self.batches(state).len() > state.batch && !state.has_stopped;
        if is_running && matches!(state.phase, Phase::Preparing | Phase::HandingOver) {
            actions.push(Action::RollBack);
        }
        if !state.history.was_edited && state.sides[SOURCE].shared.is_some() {
            actions.push(Action::Edit);
        }
        for side in SIDES {
            for cluster in CLUSTERS {
                let is_there = state.cluster(side, cluster).is_some();
                let selects = state.sort == Sort::Selecting && state.shared_is_active(side);
                if selects && is_there && state.is_in_flight(cluster) {
                    actions.push(Action::Select { side, cluster });
                }
            }
            actions.push(Action::Collect { side });
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Run(act) => self.run(&mut next, act),
            Action::RollBack => self.run(&mut next, Act::Advance(Step::RollbackStarted)),
            Action::Edit => {
                next.history.was_edited = true;
                next.is_fresh.object = false;
                next.sides[SOURCE].shared.iter_mut().for_each(|shared| shared.is_edited = true);
            }
            Action::Select { .. } => next.history.created_for_a_unit_in_flight = true,
            Action::Collect { side } => Self::collect(&mut next, side),
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("P1 never active twice", |_, state: &State| {
                CLUSTERS.into_iter().all(|cluster| {
                    SIDES.map(|side| state.cluster(side, cluster)) != [Some(Pause::Active); 2]
                })
            }),
            Property::always("P2 nothing is lost", |_, state: &State| {
                let [source, target] = &state.sides;
                let has_clusters = CLUSTERS.into_iter().all(|cluster| {
                    source.clusters[cluster].is_some() || target.clusters[cluster].is_some()
                });
                let has_secret = source.secret.is_some() || target.secret.is_some();
                has_clusters
                    && (source.shared.is_some() || target.shared.is_some())
                    && (has_secret || !state.history.has_secret)
            }),
            Property::always("P2 what a unit needs is on its side", |_, state: &State| {
                state.sides.iter().all(|side| {
                    let is_live = side.clusters.contains(&Some(Pause::Active));
                    let has_secret = side.secret.is_some() || !state.history.has_secret;
                    !is_live || (side.shared.is_some() && has_secret)
                })
            }),
            Property::always("P5 no edit is lost", |_, state: &State| {
                let mut shared = state.sides.iter().filter_map(|side| side.shared.as_ref());
                !state.history.was_edited || shared.any(|shared| shared.is_edited)
            }),
            Property::always("P5 a unit that moves meets no stale copy", |_, state: &State| {
                !state.history.began_with_a_stale_copy
            }),
            Property::always("P6 writes only in their phase", |_, state: &State| {
                !state.history.wrote_in_the_wrong_phase
            }),
            Property::always("P10 a pool serves one side", |_, state: &State| {
                state.sort != Sort::Allocating || !SIDES.into_iter().all(|side| state.serves(side))
            }),
            Property::always("P11 a unit in flight gets nothing new", |_, state: &State| {
                !state.history.created_for_a_unit_in_flight
            }),
            Property::always("L1 the run ends", |model, state: &State| model.ends(state)),
            Property::sometimes("both units move", |_, state: &State| {
                state.is_over && state.sides[SOURCE] == Side::default()
            }),
            Property::sometimes("one unit moves, the other is rolled back", |_, state: &State| {
                state.is_over
                    && state.was_rolled_back
                    && state.batch == 2
                    && state.sides[SOURCE].clusters != state.sides[TARGET].clusters
                    && state.sides.iter().all(|side| side.clusters != [None, None])
            }),
            Property::sometimes("an edit stops the run", |_, state: &State| state.has_stopped),
        ]
    }
}

#[test]
fn batches_hold() {
    assert_holds("M3 batches", Batches { mutant: None });
}

#[test]
fn every_mutant_of_batches_is_found() {
    for (mutant, property) in [
        (Mutant::SecretOfTwoUnitsIsShared, "P2 what a unit needs is on its side"),
        (Mutant::SecretOfTwoUnitsIsShared, "L1 the run ends"),
        (Mutant::NextBatchInSpiteOfEdit, "P5 a unit that moves meets no stale copy"),
        (Mutant::SelectionIsSplit, "P11 a unit in flight gets nothing new"),
        (Mutant::PoolIsSplit, "P10 a pool serves one side"),
        (Mutant::SharedDeletedByUidOnly, "P5 no edit is lost"),
    ] {
        assert_finds(&format!("M3 {mutant:?}"), Batches { mutant: Some(mutant) }, property);
    }
}
