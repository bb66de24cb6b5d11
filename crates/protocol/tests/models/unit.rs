//! M2 `unit`: one unit among controllers, garbage collectors and a GitOps tool.
//!
//! A Cluster `C`, a Machine `M` below it with a finalizer, a shared `K` above both, and at most one
//! object `L` that appears below `M` late. One runner moves them; it may crash at any moment, and
//! its successor knows nothing but the record. Every combination of controllers is explored: each
//! side has one of four sorts (see [`Sort`]).
//!
//! What is abstracted:
//! - Writes are atomic: `locks` explores the late ones. One late create of `M` is kept, since no
//!   precondition can stop a create.
//! - A step of a controller is atomic, so quiescing is no step: a reconcile that was under way when
//!   the pause came is the late object.
//! - Contents are one bit, `is_edited`. A resource version is a bit of the runner's memory, cleared
//!   by every write of another.
//! - GitOps acts twice, in the source. It takes the pause off the Cluster, edits once, or creates
//!   the Cluster again.
//! - The controllers of the target honour at least the pauses that those of the source honour:
//!   preflight demands providers that are as new.
//! - An object that is created below an owner in deletion is not explored: no rule of a client can
//!   save it.
//! - A Cluster that GitOps creates again is active in the source at once, and may get machines of
//!   its own. No write of a runner prevents that; only a hold of the source's controllers does.
//!   `P9` leaves it out, and `P1` where it came after the last look: before that the copies stay
//!   paused.

use protocol::{Phase, Step, Write};
use stateright::{Model, Property};

use crate::explore::{assert_finds, assert_holds};

const SOURCE: usize = 0;
const TARGET: usize = 1;
const SIDES: [usize; 2] = [SOURCE, TARGET];

const K: usize = 0;
const C: usize = 1;
const M: usize = 2;
const L: usize = 3;

/// Acts of GitOps in one run.
const GITOPS_ACTS: u8 = 2;
/// Steps within which a lone runner ends a run, after any history.
const STEPS: usize = 48;

/// The rules of the protocol that a mutant leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    /// A deletion in the source has only the uid as precondition.
    DeletionByUidOnly,
    /// Only the Cluster is paused, and nothing looks at the pause before the deletion.
    NoLookAtPause,
    /// Only the Cluster is paused; the pause is looked at before each deletion.
    ClusterPauseOnly,
    /// Names that came back in the source are not looked for before the resume.
    NamesNotLookedFor,
    /// Finalizers go before the deletion, also where a controller that honours the pause puts them
    /// back.
    FinalizersBeforeDeletion,
    /// Copies are created without a pause of their own.
    NotBornPaused,
    /// Copies are created with finalizers.
    CopiesWithFinalizers,
    /// The hand-over removes the birth pause from kinds that ignore the pause of the Cluster.
    HandOverUnpausesAll,
    /// The target's controllers honour fewer pauses than the source's.
    OlderTarget,
    /// Leader Leases that the run holds expire when its runner dies.
    HoldDiesWithRunner,
    /// The hold of the target ends while a create may still be on its way.
    HoldEndsBeforeLateCreates,
    /// A deletion does not look for objects that have come below since the last look.
    LateObjectsNotLookedFor,
}

/// The sorts of controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sort {
    /// Honours the pause of the Cluster and of the object, and reports it.
    Honours,
    /// As `Honours`, but puts its finalizer back before it looks at the pause.
    PutsFinalizersBack,
    /// Honours only the object's own pause, and reports nothing.
    HonoursOwnOnly,
    /// Ignores every pause. The run holds its leader-election Lease.
    Ignores,
}

const SORTS: [Sort; 4] =
    [Sort::Honours, Sort::PutsFinalizersBack, Sort::HonoursOwnOnly, Sort::Ignores];

impl Sort {
    fn honours_cluster(self) -> bool {
        matches!(self, Self::Honours | Self::PutsFinalizersBack)
    }

    fn honours(self) -> u8 {
        match self {
            Self::Honours | Self::PutsFinalizersBack => 2,
            Self::HonoursOwnOnly => 1,
            Self::Ignores => 0,
        }
    }
}

/// The model; with a mutant, one rule is missing.
struct Unit {
    mutant: Option<Mutant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    sides: [Side; 2],
    phase: Phase,
    /// The objects whose copies are in the list of uids.
    recorded: [bool; 4],
    /// The unit has stopped: a person has to decide.
    has_stopped: bool,
    memory: Memory,
    history: History,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Side {
    objects: [Option<Object>; 4],
    sort: Sort,
    /// The run holds the leader Lease of the controllers.
    is_held: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Object {
    uid: Uid,
    /// `spec.paused`, of the Cluster only.
    cluster_paused: bool,
    /// The annotation on the object itself.
    own_paused: bool,
    has_finalizer: bool,
    is_terminating: bool,
    is_edited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Uid {
    Original,
    Copy,
    /// Created again under the same name: by GitOps in the source, by a late create in the target.
    Again,
}

/// Knowledge of a runner; its successor has none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Memory {
    has_looked: bool,
    /// The source's objects that the runner saw when it looked.
    has_seen: [bool; 4],
    /// No other writer has changed the source's object since the runner looked.
    is_fresh: [bool; 4],
    /// The runner has taken off the finalizers of this object of the side that it deletes.
    has_freed: [bool; 4],
    has_looked_for_names: bool,
}

/// History, for properties that a single state does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct History {
    gitops_acts: u8,
    late_object_appeared: bool,
    machine_was_copied: bool,
    late_create_arrived: bool,
    edited: Option<usize>,
    came_back_after_the_last_look: bool,
    machine_was_replaced: bool,
    wrote_in_the_wrong_phase: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Run(Act),
    RollBack,
    Crash,
    GitOps(GitOps),
    LateObject,
    LateCreate,
    PutFinalizerBack { side: usize, object: usize },
    ReplaceMachine { side: usize },
    Collect { side: usize, object: usize },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum GitOps {
    Unpause,
    Edit(usize),
    CreateAgain,
}

/// One step of the runner. `Look` stands for verify, too.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    PauseCluster,
    PauseObject(usize),
    Hold(usize),
    Create(usize),
    Look,
    HandOver(usize),
    Delete { side: usize, object: usize },
    Free { side: usize, object: usize },
    LookForNames,
    ResumeObject { side: usize, object: usize },
    Release(usize),
    Advance(Step),
    Stop,
}

impl State {
    fn object(&self, side: usize, object: usize) -> Option<&Object> {
        self.sides[side].objects[object].as_ref()
    }

    /// Returns whether controllers of this side work on an object.
    fn is_enabled(&self, side: usize, object: usize) -> bool {
        let Some(it) = self.object(side, object) else { return false };
        let cluster_paused = self.object(side, C).is_some_and(|cluster| cluster.cluster_paused);
        let Side { sort, is_held, .. } = self.sides[side];
        !is_held
            && match sort {
                Sort::Honours | Sort::PutsFinalizersBack => !cluster_paused && !it.own_paused,
                Sort::HonoursOwnOnly => !it.own_paused,
                Sort::Ignores => true,
            }
    }

    fn is_active(&self, side: usize) -> bool {
        self.is_enabled(side, C) || self.is_enabled(side, M)
    }

    fn is_original(&self, object: usize) -> bool {
        self.object(SOURCE, object).is_some_and(|it| it.uid == Uid::Original)
    }

    /// Returns whether the target holds the copy of a source's object, with the same content.
    fn is_copied(&self, object: usize) -> bool {
        let (Some(source), Some(copy)) = (self.object(SOURCE, object), self.object(TARGET, object))
        else {
            return false;
        };
        copy.uid == Uid::Copy && !copy.is_terminating && copy.is_edited == source.is_edited
    }

    /// Notes that another writer has changed an object.
    fn touch(&mut self, side: usize, object: usize) {
        if side == SOURCE {
            self.memory.is_fresh[object] = false;
        }
    }

    /// Removes an object, or marks it for deletion while it has a finalizer.
    fn delete(&mut self, side: usize, object: usize) {
        match &mut self.sides[side].objects[object] {
            Some(it) if it.has_finalizer => it.is_terminating = true,
            it => *it = None,
        }
    }

    fn came_back(&self) -> bool {
        self.object(SOURCE, C).is_some_and(|cluster| cluster.uid == Uid::Again)
    }
}

impl Unit {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Returns the next step of the runner.
    fn next(&self, state: &State) -> Option<Act> {
        if state.has_stopped {
            return None;
        }
        for side in SIDES {
            let needed = match state.phase {
                Phase::Resuming | Phase::Finished => false,
                Phase::Undoing => state.object(TARGET, C).or(state.object(TARGET, M)).is_some(),
                _ => true,
            };
            let is_paused = self.to_pause(state).is_none() || state.phase == Phase::Undoing;
            let Side { sort, is_held, .. } = state.sides[side];
            if needed && is_paused && sort == Sort::Ignores && !is_held {
                return Some(Act::Hold(side));
            }
        }
        match state.phase {
            Phase::Preparing => Some(self.prepare(state)),
            Phase::HandingOver => Some(self.hand_over(state)),
            Phase::Deleting => Some(self.delete(state)),
            Phase::Resuming => Some(self.resume(state)),
            Phase::Undoing => Some(self.undo(state)),
            Phase::Committed
            | Phase::Leaving
            | Phase::Left
            | Phase::Returning
            | Phase::Finished => None,
        }
    }

    fn to_pause(&self, state: &State) -> Option<Act> {
        let cluster = state.object(SOURCE, C).filter(|cluster| cluster.uid == Uid::Original);
        if cluster.is_some_and(|cluster| !cluster.cluster_paused && !cluster.is_terminating) {
            return Some(Act::PauseCluster);
        }
        if self.is(Mutant::NoLookAtPause) || self.is(Mutant::ClusterPauseOnly) {
            return None;
        }
        let is_unpaused = |object: &usize| {
            let it = state.object(SOURCE, *object).filter(|it| it.uid == Uid::Original);
            it.is_some_and(|it| !it.own_paused && !it.is_terminating)
        };
        [C, M].into_iter().find(is_unpaused).map(Act::PauseObject)
    }

    fn prepare(&self, state: &State) -> Act {
        if let Some(pause) = self.to_pause(state) {
            return pause;
        }
        let lacks_copy = |object: &usize| {
            state.object(SOURCE, *object).is_some() && state.object(TARGET, *object).is_none()
        };
        if let Some(object) = [K, C, M, L].into_iter().find(lacks_copy) {
            return Act::Create(object);
        }
        let differs = |object| state.object(SOURCE, object).is_some() && !state.is_copied(object);
        if [C, M, L].into_iter().any(differs) {
            return Act::Advance(Step::RollbackStarted);
        }
        if state.memory.has_looked { Act::Advance(Step::CopiesVerified) } else { Act::Look }
    }

    fn hand_over(&self, state: &State) -> Act {
        let honours_cluster =
            state.sides[SOURCE].sort.honours_cluster() || self.is(Mutant::HandOverUnpausesAll);
        for object in [C, M] {
            match state.object(TARGET, object).filter(|it| it.uid == Uid::Copy) {
                Some(copy) if !copy.is_terminating => {
                    if !copy.has_finalizer || (copy.own_paused && honours_cluster) {
                        return Act::HandOver(object);
                    }
                }
                _ => return Act::Advance(Step::RollbackStarted),
            }
        }
        Act::Advance(Step::CopiesHandedOver)
    }

    fn delete(&self, state: &State) -> Act {
        if let Some(pause) = self.to_pause(state).filter(|_| !self.is(Mutant::NoLookAtPause)) {
            return pause;
        }
        let mut left = [L, M, C].into_iter().filter(|object| state.is_original(*object));
        let mut known = left.clone().filter(|object| state.memory.has_seen[*object]);
        let may_go_on =
            |object: &usize| state.memory.is_fresh[*object] || self.is(Mutant::DeletionByUidOnly);
        let Some(object) = known.next().filter(may_go_on) else {
            let is_safe = |object: usize| {
                let it = state.object(SOURCE, object);
                it.is_some_and(|it| it.is_terminating)
                    || (state.is_copied(object) && state.recorded[object])
            };
            return match left.next() {
                Some(first) if !([first].into_iter().chain(left).all(is_safe)) => Act::Stop,
                Some(_) => Act::Look,
                None if state.object(SOURCE, K).is_some() => {
                    Act::Delete { side: SOURCE, object: K }
                }
                None => Act::Advance(Step::SourceDeleted),
            };
        };
        let it = state.object(SOURCE, object).expect("it was found there");
        let free = Act::Free { side: SOURCE, object };
        if it.is_terminating {
            return free;
        }
        let is_late = state.is_original(L) && !state.memory.has_seen[L];
        if is_late && !self.is(Mutant::LateObjectsNotLookedFor) {
            return Act::Stop;
        }
        let reports = state.sides[SOURCE].sort.honours_cluster();
        let frees_first = !reports || self.is(Mutant::FinalizersBeforeDeletion);
        match it.has_finalizer && frees_first {
            true if state.memory.has_freed[object] => Act::Stop,
            true => free,
            false => Act::Delete { side: SOURCE, object },
        }
    }

    fn resume(&self, state: &State) -> Act {
        if !self.is(Mutant::NamesNotLookedFor) && !state.memory.has_looked_for_names {
            return if state.came_back() { Act::Stop } else { Act::LookForNames };
        }
        for object in [M, C] {
            let is_paused = |it: &&Object| it.own_paused || it.cluster_paused;
            if state.object(TARGET, object).filter(is_paused).is_some() {
                return Act::ResumeObject { side: TARGET, object };
            }
        }
        self.release(state).unwrap_or(Act::Advance(Step::Resumed))
    }

    fn release(&self, state: &State) -> Option<Act> {
        SIDES.into_iter().find(|side| state.sides[*side].is_held).map(Act::Release)
    }

    fn undo(&self, state: &State) -> Act {
        for object in [L, M, C, K] {
            let Some(copy) = state.object(TARGET, object) else { continue };
            let is_live = object == L || object == K || copy.own_paused;
            let reports = state.sides[TARGET].sort.honours_cluster();
            let came_back = state.memory.has_freed[object] && reports;
            let is_armed = copy.has_finalizer && !came_back;
            return match copy.is_terminating || is_armed || !is_live {
                true => Act::Free { side: TARGET, object },
                false => Act::Delete { side: TARGET, object },
            };
        }
        for object in [M, C] {
            let is_paused = |it: &&Object| it.own_paused || it.cluster_paused;
            if state.object(SOURCE, object).filter(is_paused).is_some() {
                return Act::ResumeObject { side: SOURCE, object };
            }
        }
        self.release(state).unwrap_or(Act::Advance(Step::RolledBack))
    }

    fn run(&self, state: &mut State, act: Act) {
        let write = match act {
            Act::PauseCluster | Act::PauseObject(_) => Some(Write::PauseSource),
            Act::Hold(_) => Some(Write::HoldControllers),
            Act::Create(_) => Some(Write::CreateCopy),
            Act::HandOver(_) => Some(Write::HandOver),
            Act::Delete { side: SOURCE, .. } | Act::Free { side: SOURCE, .. } => {
                Some(Write::DeleteSource)
            }
            Act::Delete { .. } | Act::Free { .. } => Some(Write::DeleteCopy),
            Act::ResumeObject { side: SOURCE, .. } => Some(Write::ResumeSource),
            Act::ResumeObject { .. } => Some(Write::ResumeTarget),
            Act::Look | Act::LookForNames | Act::Release(_) | Act::Advance(_) | Act::Stop => None,
        };
        state.history.wrote_in_the_wrong_phase |=
            write.is_some_and(|write| !state.phase.allows(write));
        match act {
            Act::PauseCluster => {
                state.sides[SOURCE].objects[C].iter_mut().for_each(|it| it.cluster_paused = true);
                state.memory = Memory::default();
            }
            Act::PauseObject(object) => {
                state.sides[SOURCE].objects[object].iter_mut().for_each(|it| it.own_paused = true);
                state.memory = Memory::default();
            }
            Act::Hold(side) => state.sides[side].is_held = true,
            Act::Release(side) => state.sides[side].is_held = false,
            Act::Create(object) => {
                let Some(source) = state.object(SOURCE, object) else { return };
                let is_reconciled = object == C || object == M;
                let copy = Object {
                    uid: Uid::Copy,
                    own_paused: is_reconciled && !self.is(Mutant::NotBornPaused),
                    has_finalizer: source.has_finalizer && self.is(Mutant::CopiesWithFinalizers),
                    ..source.clone()
                };
                state.sides[TARGET].objects[object] = Some(copy);
                state.history.machine_was_copied |= object == M;
            }
            Act::Look => {
                state.memory.has_looked = true;
                state.memory.has_seen = [K, C, M, L].map(|object| state.is_original(object));
                state.memory.is_fresh = state.memory.has_seen;
            }
            Act::HandOver(object) => {
                let unpauses = state.sides[SOURCE].sort.honours_cluster()
                    || self.is(Mutant::HandOverUnpausesAll);
                state.sides[TARGET].objects[object].iter_mut().for_each(|copy| {
                    copy.has_finalizer = true;
                    copy.own_paused &= !unpauses;
                });
            }
            Act::Delete { side, object } => state.delete(side, object),
            Act::Free { side, object } => {
                state.memory.has_freed[object] = true;
                let slot = &mut state.sides[side].objects[object];
                if slot.as_ref().is_some_and(|it| it.is_terminating) {
                    *slot = None;
                } else if let Some(it) = slot {
                    it.has_finalizer = false;
                    it.own_paused |= side == TARGET;
                }
            }
            Act::LookForNames => state.memory.has_looked_for_names = true,
            Act::ResumeObject { side, object } => {
                state.sides[side].objects[object].iter_mut().for_each(|it| {
                    it.own_paused = false;
                    it.cluster_paused = false;
                });
            }
            Act::Advance(step) => {
                state.phase = state.phase.after(step).expect("a runner takes legal steps");
                if step == Step::CopiesVerified {
                    state.recorded =
                        [K, C, M, L].map(|object| state.object(TARGET, object).is_some());
                }
                if step == Step::RollbackStarted {
                    state.memory = Memory::default();
                }
            }
            Act::Stop => state.has_stopped = true,
        }
    }

    /// Adds the actions of the controllers and the garbage collectors.
    fn world(&self, state: &State, actions: &mut Vec<Action>) {
        for side in SIDES {
            let Side { sort, is_held, .. } = state.sides[side];
            for object in [C, M] {
                let Some(it) = state.object(side, object) else { continue };
                let acts = state.is_enabled(side, object) || sort == Sort::PutsFinalizersBack;
                if acts && !is_held && !it.has_finalizer && !it.is_terminating {
                    actions.push(Action::PutFinalizerBack { side, object });
                }
            }
            let is_again = state.object(side, C).is_some_and(|it| it.uid == Uid::Again);
            if state.is_enabled(side, C) && !is_again && state.object(side, M).is_none() {
                actions.push(Action::ReplaceMachine { side });
            }
            for (object, owner) in [(C, K), (M, C), (L, M)] {
                let Some(it) = state.object(side, object) else { continue };
                let expected = if side == SOURCE { Uid::Original } else { Uid::Copy };
                let has_owner = state.object(side, owner).is_some_and(|it| it.uid == expected);
                let is_again = object == C && it.uid == Uid::Again;
                if !has_owner && !it.is_terminating && !is_again {
                    actions.push(Action::Collect { side, object });
                }
            }
        }
    }

    fn gitops(state: &State, actions: &mut Vec<Action>) {
        if state.history.gitops_acts == GITOPS_ACTS {
            return;
        }
        match state.object(SOURCE, C) {
            None => actions.push(Action::GitOps(GitOps::CreateAgain)),
            Some(cluster) if cluster.cluster_paused && !cluster.is_terminating => {
                actions.push(Action::GitOps(GitOps::Unpause));
            }
            Some(_) => {}
        }
        for object in [C, M] {
            let it = state.object(SOURCE, object).filter(|it| it.uid == Uid::Original);
            let is_first = state.history.edited.is_none();
            if is_first && it.is_some_and(|it| !it.is_terminating) {
                actions.push(Action::GitOps(GitOps::Edit(object)));
            }
        }
    }

    /// Returns whether a fresh runner alone ends the run, among the controllers and garbage
    /// collectors that there are, each of which acts after each of its steps. A unit may stop only
    /// if another writer gave reason to.
    fn ends(&self, state: &State) -> bool {
        let mut state = state.clone();
        state.memory = Memory::default();
        for _ in 0..STEPS {
            if state.has_stopped {
                return state.history.gitops_acts > 0 || state.history.late_object_appeared;
            }
            let Some(act) = self.next(&state) else { break };
            self.run(&mut state, act);
            let mut actions = Vec::new();
            self.world(&state, &mut actions);
            for action in actions {
                state = self.next_state(&state, action).unwrap_or(state);
            }
        }
        state.phase == Phase::Finished
    }
}

impl Model for Unit {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let object = |has_finalizer| {
            Some(Object {
                uid: Uid::Original,
                cluster_paused: false,
                own_paused: false,
                has_finalizer,
                is_terminating: false,
                is_edited: false,
            })
        };
        let objects = [object(false), object(true), object(true), None];
        let pairs = SORTS.into_iter().flat_map(|source| SORTS.map(|target| (source, target)));
        pairs
            .filter(|(source, target)| {
                target.honours() >= source.honours() || self.is(Mutant::OlderTarget)
            })
            .map(|(source, target)| State {
                sides: [
                    Side { objects: objects.clone(), sort: source, is_held: false },
                    Side { objects: [const { None }; 4], sort: target, is_held: false },
                ],
                phase: Phase::Preparing,
                recorded: [false; 4],
                has_stopped: false,
                memory: Memory::default(),
                history: History::default(),
            })
            .collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if let Some(act) = self.next(state) {
            actions.push(Action::Run(act));
        }
        if matches!(state.phase, Phase::Preparing | Phase::HandingOver) {
            actions.push(Action::RollBack);
        }
        if state.phase != Phase::Finished {
            actions.push(Action::Crash);
        }
        Self::gitops(state, actions);
        let machine = state.object(SOURCE, M).filter(|it| it.uid == Uid::Original);
        let takes_late_object = machine.is_some_and(|it| !it.is_terminating);
        if takes_late_object && !state.history.late_object_appeared {
            actions.push(Action::LateObject);
        }
        let is_under_way = state.history.machine_was_copied && !state.history.late_create_arrived;
        let Side { sort, is_held, .. } = state.sides[TARGET];
        let is_held_off =
            sort == Sort::Ignores && !is_held && !self.is(Mutant::HoldEndsBeforeLateCreates);
        if is_under_way && !is_held_off && state.object(TARGET, M).is_none() {
            actions.push(Action::LateCreate);
        }
        self.world(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Run(act) => self.run(&mut next, act),
            Action::RollBack => self.run(&mut next, Act::Advance(Step::RollbackStarted)),
            Action::Crash => {
                next.memory = Memory::default();
                if self.is(Mutant::HoldDiesWithRunner) {
                    next.sides.iter_mut().for_each(|side| side.is_held = false);
                }
            }
            Action::GitOps(act) => {
                next.history.gitops_acts += 1;
                match act {
                    GitOps::Unpause => {
                        next.sides[SOURCE].objects[C].as_mut()?.cluster_paused = false;
                        next.touch(SOURCE, C);
                    }
                    GitOps::Edit(object) => {
                        next.sides[SOURCE].objects[object].as_mut()?.is_edited = true;
                        next.history.edited = Some(object);
                        next.touch(SOURCE, object);
                    }
                    GitOps::CreateAgain => {
                        next.history.came_back_after_the_last_look =
                            state.memory.has_looked_for_names
                                || state.is_active(TARGET)
                                || state.phase == Phase::Finished;
                        next.sides[SOURCE].objects[C] = Some(Object {
                            uid: Uid::Again,
                            cluster_paused: false,
                            own_paused: false,
                            has_finalizer: false,
                            is_terminating: false,
                            is_edited: false,
                        });
                    }
                }
            }
            Action::LateObject => {
                next.history.late_object_appeared = true;
                next.sides[SOURCE].objects[L] = Some(Object {
                    uid: Uid::Original,
                    cluster_paused: false,
                    own_paused: false,
                    has_finalizer: false,
                    is_terminating: false,
                    is_edited: false,
                });
            }
            Action::LateCreate => {
                next.history.late_create_arrived = true;
                next.sides[TARGET].objects[M] = Some(Object {
                    uid: Uid::Again,
                    cluster_paused: false,
                    own_paused: !self.is(Mutant::NotBornPaused),
                    has_finalizer: self.is(Mutant::CopiesWithFinalizers),
                    is_terminating: false,
                    is_edited: false,
                });
            }
            Action::PutFinalizerBack { side, object } => {
                next.sides[side].objects[object].as_mut()?.has_finalizer = true;
                next.touch(side, object);
            }
            Action::ReplaceMachine { .. } => next.history.machine_was_replaced = true,
            Action::Collect { side, object } => {
                next.delete(side, object);
                next.touch(side, object);
            }
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("P1 never active twice", |_, state: &State| {
                let came_back = state.history.came_back_after_the_last_look;
                came_back || !(state.is_active(SOURCE) && state.is_active(TARGET))
            }),
            Property::always("P1 copies are inert until the source is gone", |_, state: &State| {
                !state.is_active(TARGET) || !(state.is_original(C) || state.is_original(M))
            }),
            Property::always("P2 nothing is lost", |_, state: &State| {
                let is_safe = |object| {
                    let source = state.object(SOURCE, object);
                    let copy = state.object(TARGET, object);
                    source.is_some_and(|it| it.uid == Uid::Original && !it.is_terminating)
                        || copy.is_some_and(|it| it.uid == Uid::Copy && !it.is_terminating)
                };
                [K, C, M].into_iter().all(is_safe)
                    && (is_safe(L) || !state.history.late_object_appeared)
            }),
            Property::always("P3 no controller sees a deletion", |_, state: &State| {
                let is_seen = |side, object| {
                    let it = state.object(side, object);
                    it.is_some_and(|it| it.is_terminating && it.has_finalizer)
                        && state.is_enabled(side, object)
                };
                !SIDES.into_iter().any(|side| is_seen(side, C) || is_seen(side, M))
            }),
            Property::always("P3 a late copy vanishes when it is deleted", |_, state: &State| {
                let Side { objects, sort, .. } = &state.sides[TARGET];
                let is_left = objects.iter().flatten().any(|copy| copy.is_terminating);
                !is_left || state.phase != Phase::Finished || *sort == Sort::PutsFinalizersBack
            }),
            Property::always("P5 no edit is lost", |_, state: &State| {
                let Some(object) = state.history.edited else { return true };
                let is_there = |side| {
                    let it = state.object(side, object);
                    it.is_some_and(|it| it.is_edited && !it.is_terminating)
                };
                is_there(SOURCE) || is_there(TARGET)
            }),
            Property::always("P6 writes only in their phase", |_, state: &State| {
                !state.history.wrote_in_the_wrong_phase
            }),
            Property::always("P9 no machine is created", |_, state: &State| {
                !state.history.machine_was_replaced
            }),
            Property::always("L1 the run ends", |model, state: &State| model.ends(state)),
            Property::sometimes("a run moves", |_, state: &State| {
                state.phase == Phase::Finished && !state.is_original(C)
            }),
            Property::sometimes("a run moves a late object", |_, state: &State| {
                state.phase == Phase::Finished
                    && !state.is_original(C)
                    && state.object(TARGET, L).is_some()
            }),
            Property::sometimes("a run is undone after a hand-over", |_, state: &State| {
                state.phase == Phase::Finished && state.is_original(C) && state.recorded[C]
            }),
            Property::sometimes("a name that came back stops the unit", |_, state: &State| {
                state.has_stopped && state.came_back()
            }),
        ]
    }
}

#[test]
fn unit_holds() {
    assert_holds("M2 unit", Unit { mutant: None });
}

#[test]
fn every_mutant_of_unit_is_found() {
    for (mutant, property) in [
        (Mutant::DeletionByUidOnly, "P5 no edit is lost"),
        (Mutant::NoLookAtPause, "P3 no controller sees a deletion"),
        (Mutant::ClusterPauseOnly, "P9 no machine is created"),
        (Mutant::NamesNotLookedFor, "P1 never active twice"),
        (Mutant::FinalizersBeforeDeletion, "L1 the run ends"),
        (Mutant::NotBornPaused, "P1 copies are inert until the source is gone"),
        (Mutant::CopiesWithFinalizers, "P3 a late copy vanishes when it is deleted"),
        (Mutant::HandOverUnpausesAll, "P1 copies are inert until the source is gone"),
        (Mutant::OlderTarget, "P1 copies are inert until the source is gone"),
        (Mutant::HoldDiesWithRunner, "P1 never active twice"),
        (Mutant::HoldDiesWithRunner, "P9 no machine is created"),
        (Mutant::HoldEndsBeforeLateCreates, "P1 never active twice"),
        (Mutant::LateObjectsNotLookedFor, "P2 nothing is lost"),
    ] {
        assert_finds(&format!("M2 {mutant:?}"), Unit { mutant: Some(mutant) }, property);
    }
}
