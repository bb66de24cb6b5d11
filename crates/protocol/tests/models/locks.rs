//! M1 `locks`: two runners, the pair of Leases, and requests that arrive late.
//!
//! One object moves. A runner may stop at any moment: it crashes, or it is suspended and does not
//! step. Another one takes over when both Leases have expired. A request may arrive at any later
//! time, or never.
//!
//! What is abstracted:
//! - No clock. A Lease may expire at any moment; a runner whose Lease has expired sends nothing
//!   more, but what it has sent is on its way.
//! - No resource versions. A request carries a bit `fresh` for the version that its runner has
//!   read; every write of another clears it. For preconditions that compare for equality this is
//!   exact.
//! - A write of a Lease is atomic. It carries the version that was read, so one that arrives after
//!   a take-over fails, and one that arrives before it equals a step of its runner.
//! - A runner looks at the clusters before each request, so a lost reply equals a reply that tells
//!   nothing.
//! - The finished Leases go in one step, and one later run stands for all: it pauses the object
//!   where it is.

use protocol::{Phase, Step, Write};
use stateright::{Model, Property};

use crate::explore::{assert_finds, assert_holds};

const SOURCE: usize = 0;
const TARGET: usize = 1;
/// Requests of one runner that may be on their way at once.
const IN_FLIGHT: usize = 2;
/// Steps within which a lone runner ends a run. The longest way takes all phases after a take-over.
const STEPS: usize = 24;

/// The rules of the protocol that a mutant leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    /// A deletion in the source has only the uid as precondition.
    DeletionByUidOnly,
    /// A deletion of a copy has only the uid as precondition.
    RollbackByUidOnly,
    /// A rollback leaves the record in `preparing`, so `resume` may go forward again.
    RollbackTurnsRound,
    /// Today's rollback: it can be turned round, deletes by uid, and no epoch fences it.
    RollbackOfToday,
    /// A take-over writes no epoch into the objects.
    NoEpoch,
    /// A patch that resumes has only the uid as precondition.
    ResumeByUidOnly,
    /// A rollback leaves out objects that it finds unpaused.
    RollbackSkipsUnpaused,
    /// The point of no return comes when the copies are verified, before the hand-over.
    CommitBeforeHandOver,
}

/// The model; with a mutant, one rule is missing.
struct Locks {
    mutant: Option<Mutant>,
    epochs: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// The object in the source and in the target.
    objects: [Option<Object>; 2],
    leases: [Lease; 2],
    /// The uid of the copy in the list that was written before the hand-over.
    recorded: Option<u8>,
    runners: [Runner; 2],
    /// Requests on their way, sorted, since their order means nothing.
    network: Vec<Request>,
    /// Copies that were created so far; gives each its uid.
    created: u8,
    history: History,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Object {
    uid: u8,
    paused: bool,
    handed_over: bool,
    mark: Mark,
}

/// The mark on an object. Every write of a run that could leave the object as it is changes the
/// mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Mark {
    None,
    Epoch(u8),
    RolledBack,
    LaterRun,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Lease {
    holder: Option<usize>,
    has_expired: bool,
    epoch: u8,
    phase: Option<Phase>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Runner {
    /// The epoch that it has taken the Leases with; 0 without a run.
    epoch: u8,
    /// It has made sure that no older request can hit an object any more.
    has_surveyed: bool,
    /// The uid of the copy when it looked at both objects, since the last change of the phase.
    seen: Option<u8>,
    /// It rolls back without a record of it; only of mutants.
    rolls_back: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Request {
    runner: usize,
    epoch: u8,
    write: Write,
    side: usize,
    uid: u8,
    is_fresh: bool,
    is_awaited: bool,
}

/// History, for properties that a single state does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct History {
    rollback_started: bool,
    stale_request_had_an_effect: bool,
    deleted_in_the_wrong_phase: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    /// A runner takes the first Lease that it does not have.
    Acquire(usize),
    Expire(usize),
    Crash(usize),
    /// A runner takes its next step.
    Run(usize, Act),
    /// A user stops the run, or a phase has failed.
    RollBack(usize),
    Deliver(Request),
    Lose(Request),
    /// A runner stops waiting for a reply; the request is still on its way.
    Abandon(Request),
    /// A later run pauses the object where it is.
    LaterRun,
}

/// One step of a runner.
#[derive(Clone, Debug, PartialEq)]
enum Act {
    Survey,
    Look,
    Send { write: Write, side: usize },
    Record { side: usize, phase: Phase },
    RemoveRecords,
}

impl Locks {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Returns the phase after a step, by the machine of the crate.
    fn after(&self, phase: Phase, step: Step) -> Phase {
        if self.is(Mutant::CommitBeforeHandOver) && step == Step::CopiesVerified {
            return Phase::Committed;
        }
        phase.after(step).expect("a runner takes legal steps")
    }

    /// Returns the next step of a runner that holds both Leases.
    fn next(&self, state: &State, runner: usize) -> Option<Act> {
        let me = &state.runners[runner];
        let phase = if me.rolls_back { Phase::Undoing } else { state.phase()? };
        if phase == Phase::Finished {
            return Some(Act::RemoveRecords);
        }
        let is_recorded = matches!(state.leases[SOURCE].phase?, Phase::Undoing | Phase::Finished);
        if phase == Phase::Undoing && !me.rolls_back && !is_recorded {
            return Some(Act::Record { side: SOURCE, phase });
        }
        if !me.has_surveyed {
            let is_older = |mark: Mark| match mark {
                Mark::None => me.epoch > 1,
                Mark::Epoch(epoch) => epoch < me.epoch,
                Mark::RolledBack | Mark::LaterRun => false,
            };
            let is_fenced = self.is(Mutant::NoEpoch) || self.is(Mutant::RollbackOfToday);
            for side in [SOURCE, TARGET] {
                let older = state.objects[side].as_ref().filter(|object| is_older(object.mark));
                if older.is_some() && !is_fenced {
                    return Some(Act::Send { write: Write::RaiseEpoch, side });
                }
            }
            return Some(Act::Survey);
        }
        let [source, copy] = &state.objects;
        let send = |write, side| Some(Act::Send { write, side });
        let step = match phase {
            Phase::Preparing => {
                if source.as_ref().is_some_and(|object| !object.paused) {
                    return send(Write::PauseSource, SOURCE);
                }
                if copy.is_none() {
                    return send(Write::CreateCopy, TARGET);
                }
                if me.seen.is_none() {
                    return Some(Act::Look);
                }
                Step::CopiesVerified
            }
            Phase::HandingOver | Phase::Committed => {
                let copy = copy.as_ref().filter(|copy| Some(copy.uid) == state.recorded)?;
                if !copy.handed_over {
                    return send(Write::HandOver, TARGET);
                }
                Step::CopiesHandedOver
            }
            Phase::Deleting => {
                if let Some(source) = source {
                    let copy = copy.as_ref().filter(|copy| Some(copy.uid) == state.recorded)?;
                    if !source.paused || !copy.paused {
                        return None;
                    }
                    if me.seen.is_none() {
                        return Some(Act::Look);
                    }
                    return send(Write::DeleteSource, SOURCE);
                }
                Step::SourceDeleted
            }
            Phase::Resuming => {
                if copy.as_ref().is_some_and(|copy| copy.paused) {
                    return send(Write::ResumeTarget, TARGET);
                }
                Step::Resumed
            }
            Phase::Undoing => {
                if copy.is_some() {
                    return send(Write::DeleteCopy, TARGET);
                }
                let source = source.as_ref()?;
                let skips = self.is(Mutant::RollbackSkipsUnpaused) && !source.paused;
                if source.mark != Mark::RolledBack && !skips {
                    return send(Write::ResumeSource, SOURCE);
                }
                Step::RolledBack
            }
            Phase::Leaving | Phase::Left | Phase::Returning | Phase::Finished => return None,
        };
        let next = self.after(phase, step);
        let side = if state.leases[SOURCE].phase == Some(next) { TARGET } else { SOURCE };
        Some(Act::Record { side, phase: next })
    }

    fn run(&self, state: &mut State, runner: usize, act: &Act) {
        match *act {
            Act::Survey => state.runners[runner].has_surveyed = true,
            Act::Look => {
                state.runners[runner].seen = state.objects[TARGET].as_ref().map(|copy| copy.uid);
            }
            Act::Send { write, side } => {
                let request = Request {
                    runner,
                    epoch: state.runners[runner].epoch,
                    write,
                    side,
                    uid: state.objects[side].as_ref().map_or(0, |object| object.uid),
                    is_fresh: true,
                    is_awaited: true,
                };
                state.network.push(request);
            }
            Act::Record { side, phase } => {
                state.leases[side].phase = Some(phase);
                if side == TARGET {
                    let seen = state.runners[runner].seen.take();
                    if matches!(phase, Phase::HandingOver | Phase::Committed) {
                        state.recorded = seen;
                    }
                }
            }
            Act::RemoveRecords => {
                state.leases.iter_mut().for_each(|lease| lease.holder = None);
                state.runners[runner] = Runner::default();
            }
        }
    }

    /// Carries a request out on the cluster that it reaches.
    fn deliver(&self, state: &mut State, request: &Request) {
        let object = &mut state.objects[request.side];
        let has_effect = if request.write == Write::CreateCopy {
            object.is_none()
        } else {
            let is_ignored = match request.write {
                Write::DeleteSource => self.is(Mutant::DeletionByUidOnly),
                Write::DeleteCopy => {
                    self.is(Mutant::RollbackByUidOnly) || self.is(Mutant::RollbackOfToday)
                }
                Write::ResumeSource | Write::ResumeTarget => self.is(Mutant::ResumeByUidOnly),
                _ => false,
            };
            let is_same = object.as_ref().is_some_and(|object| object.uid == request.uid);
            is_same && (request.is_fresh || is_ignored)
        };
        if !has_effect {
            return;
        }
        match (request.write, object.as_mut()) {
            (Write::CreateCopy, _) => {
                state.created += 1;
                *object = Some(Object {
                    uid: state.created,
                    paused: true,
                    handed_over: false,
                    mark: Mark::Epoch(request.epoch),
                });
            }
            (Write::DeleteSource | Write::DeleteCopy, _) => *object = None,
            (write, Some(object)) => match write {
                Write::PauseSource => {
                    object.paused = true;
                    object.mark = Mark::Epoch(request.epoch);
                }
                Write::RaiseEpoch => object.mark = Mark::Epoch(request.epoch),
                Write::HandOver => object.handed_over = true,
                Write::ResumeTarget => object.paused = false,
                Write::ResumeSource => {
                    object.paused = false;
                    object.mark = Mark::RolledBack;
                }
                other => unreachable!("no runner of this model sends {other:?}"),
            },
            (_, None) => unreachable!("a write other than a create needs an object"),
        }
        for other in state.network.iter_mut().filter(|other| other.side == request.side) {
            other.is_fresh = false;
        }
        if request.write != Write::CreateCopy {
            let has_moved_on = state.is_over()
                || state.holder().is_some_and(|holder| {
                    state.runners[holder].has_surveyed
                        && request.epoch < state.runners[holder].epoch
                });
            state.history.stale_request_had_an_effect |= has_moved_on;
        }
        let phase = state.phase().unwrap_or(Phase::Preparing);
        state.history.deleted_in_the_wrong_phase |= match request.write {
            Write::DeleteSource => !phase.allows(Write::DeleteSource),
            Write::DeleteCopy => !phase.allows(Write::DeleteCopy),
            _ => false,
        };
    }

    fn acquire(&self, state: &mut State, runner: usize, epochs: u8) -> bool {
        let is_free = |lease: &Lease| lease.holder.is_none() || lease.has_expired;
        let newest = state.leases.iter().map(|lease| lease.epoch).max().unwrap_or(0);
        let epoch = state.runners[runner].epoch;
        let has_first = state.leases[SOURCE].holder == Some(runner)
            && state.leases[SOURCE].epoch == epoch
            && !state.leases[SOURCE].has_expired;
        let (side, epoch) = match epoch {
            0 if newest < epochs => (SOURCE, newest + 1),
            epoch if epoch > 0 && has_first && state.leases[TARGET].epoch < epoch => {
                (TARGET, epoch)
            }
            _ => return false,
        };
        if state.is_over() || !is_free(&state.leases[side]) {
            return false;
        }
        let phase = state.leases[side].phase.or(Some(Phase::Preparing));
        state.leases[side] = Lease { holder: Some(runner), has_expired: false, epoch, phase };
        state.runners[runner].epoch = epoch;
        true
    }

    fn roll_back(&self, state: &mut State, runner: usize) {
        state.history.rollback_started = true;
        if self.is(Mutant::RollbackTurnsRound) || self.is(Mutant::RollbackOfToday) {
            state.runners[runner].rolls_back = true;
        } else {
            state.leases[TARGET].phase =
                state.phase().and_then(|phase| phase.after(Step::RollbackStarted).ok());
        }
        state.runners[runner].seen = None;
    }

    /// Returns whether a fresh runner alone ends the run, forward or back, when every earlier
    /// runner is dead and what was on its way is lost.
    fn ends(&self, state: &State, back: bool) -> bool {
        let mut state = state.clone();
        state.network.clear();
        state.runners = [Runner::default(), Runner::default()];
        state.leases.iter_mut().for_each(|lease| lease.has_expired = true);
        for _ in 0..STEPS {
            if state.is_over() {
                return true;
            }
            if state.holder() != Some(0) {
                if !self.acquire(&mut state, 0, u8::MAX) {
                    return false;
                }
                continue;
            }
            let starts = matches!(state.phase(), Some(Phase::Preparing | Phase::HandingOver));
            if back && starts && !state.runners[0].rolls_back {
                self.roll_back(&mut state, 0);
                continue;
            }
            let Some(act) = self.next(&state, 0) else { return false };
            self.run(&mut state, 0, &act);
            if let Some(request) = state.network.pop() {
                self.deliver(&mut state, &request);
            }
        }
        state.is_over()
    }
}

impl State {
    /// Returns the phase of the run: the record in the target decides.
    fn phase(&self) -> Option<Phase> {
        self.leases[TARGET].phase.or(self.leases[SOURCE].phase)
    }

    /// Returns the runner that holds both Leases; a runner asks this before every request.
    fn holder(&self) -> Option<usize> {
        let holder = self.leases[SOURCE].holder?;
        let epoch = self.runners[holder].epoch;
        let holds = |lease: &Lease| {
            lease.holder == Some(holder) && lease.epoch == epoch && !lease.has_expired
        };
        self.leases.iter().all(holds).then_some(holder)
    }

    /// Returns whether the run has ended and its Leases are gone.
    fn is_over(&self) -> bool {
        let is_gone =
            |lease: &Lease| lease.holder.is_none() && lease.phase == Some(Phase::Finished);
        self.leases.iter().all(is_gone)
    }

    fn is_enabled(&self, side: usize) -> bool {
        self.objects[side].as_ref().is_some_and(|object| !object.paused)
    }

    fn take(&mut self, request: &Request) {
        if let Some(position) = self.network.iter().position(|other| other == request) {
            self.network.remove(position);
        }
    }
}

impl Model for Locks {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let source = Object { uid: 0, paused: false, handed_over: false, mark: Mark::None };
        vec![State {
            objects: [Some(source), None],
            leases: [Lease::default(), Lease::default()],
            recorded: None,
            runners: [Runner::default(), Runner::default()],
            network: Vec::new(),
            created: 0,
            history: History::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for runner in [0, 1] {
            if self.acquire(&mut state.clone(), runner, self.epochs) {
                actions.push(Action::Acquire(runner));
            }
            if state.runners[runner].epoch > 0 {
                actions.push(Action::Crash(runner));
            }
        }
        for side in [SOURCE, TARGET] {
            if state.leases[side].holder.is_some() && !state.leases[side].has_expired {
                actions.push(Action::Expire(side));
            }
        }
        if let Some(holder) = state.holder() {
            let sent = state.network.iter().filter(|request| request.runner == holder);
            let waits = sent.clone().any(|request| request.is_awaited);
            let act = self.next(state, holder).filter(|_| !waits);
            let is_full = sent.count() >= IN_FLIGHT;
            if let Some(act) = act.filter(|act| !(is_full && matches!(act, Act::Send { .. }))) {
                actions.push(Action::Run(holder, act));
            }
            let starts = matches!(state.phase(), Some(Phase::Preparing | Phase::HandingOver));
            if starts && !waits && !state.runners[holder].rolls_back {
                actions.push(Action::RollBack(holder));
            }
        }
        for request in &state.network {
            actions.push(Action::Deliver(request.clone()));
            actions.push(if request.is_awaited {
                Action::Abandon(request.clone())
            } else {
                Action::Lose(request.clone())
            });
        }
        if state.is_over() {
            actions.push(Action::LaterRun);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Acquire(runner) => {
                self.acquire(&mut next, runner, self.epochs);
            }
            Action::Expire(side) => next.leases[side].has_expired = true,
            Action::Crash(runner) => {
                next.runners[runner] = Runner::default();
                let sent = next.network.iter_mut().filter(|request| request.runner == runner);
                sent.for_each(|request| request.is_awaited = false);
            }
            Action::Run(runner, act) => self.run(&mut next, runner, &act),
            Action::RollBack(runner) => self.roll_back(&mut next, runner),
            Action::Deliver(request) => {
                next.take(&request);
                self.deliver(&mut next, &request);
            }
            Action::Lose(request) => next.take(&request),
            Action::Abandon(request) => {
                next.take(&request);
                next.network.push(Request { is_awaited: false, ..request });
            }
            Action::LaterRun => {
                for side in [SOURCE, TARGET] {
                    if next.is_enabled(side) {
                        let object = next.objects[side].as_mut()?;
                        (object.paused, object.mark) = (true, Mark::LaterRun);
                        next.network
                            .iter_mut()
                            .filter(|request| request.side == side)
                            .for_each(|request| request.is_fresh = false);
                    }
                }
            }
        }
        next.network.sort();
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("P1 never active twice", |_, state: &State| {
                !(state.is_enabled(SOURCE) && state.is_enabled(TARGET))
            }),
            Property::always("P2 nothing is lost", |_, state: &State| {
                let copy = state.objects[TARGET].as_ref();
                state.objects[SOURCE].is_some()
                    || copy.is_some_and(|copy| Some(copy.uid) == state.recorded)
            }),
            Property::always("P4 stale requests have no effect", |_, state: &State| {
                !state.history.stale_request_had_an_effect
            }),
            Property::always("P6 deletions only in their phase", |_, state: &State| {
                !state.history.deleted_in_the_wrong_phase
            }),
            Property::always("P7 a rollback is never turned round", |_, state: &State| {
                let committed = state.phase().is_some_and(Phase::is_committed);
                !(state.history.rollback_started && committed)
            }),
            Property::always("P8 a later run's pause stays", |_, state: &State| {
                let objects = state.objects.iter().flatten();
                objects.clone().all(|object| object.mark != Mark::LaterRun || object.paused)
            }),
            Property::always("P9 an undone run leaves the source unpaused", |_, state: &State| {
                let source = state.objects[SOURCE].as_ref();
                let is_left = |object: &Object| object.paused && object.mark != Mark::LaterRun;
                !state.is_over() || !source.is_some_and(is_left)
            }),
            Property::always("L1 resume ends the run", |model, state: &State| {
                model.ends(state, false)
            }),
            Property::always("L2 rollback until the hand-over", |model, state: &State| {
                let copy = state.objects[TARGET].as_ref();
                let is_handed_over = copy.is_some_and(|copy| copy.handed_over);
                let is_possible = state.phase().is_none_or(Phase::can_roll_back);
                let is_over = state.phase() == Some(Phase::Finished);
                is_over
                    || ((is_possible || is_handed_over || state.objects[SOURCE].is_none())
                        && (!is_possible || model.ends(state, true)))
            }),
            Property::sometimes("a run moves", |_, state: &State| {
                state.is_over() && state.objects[SOURCE].is_none()
            }),
            Property::sometimes("a run is undone by its successor", |_, state: &State| {
                state.is_over() && state.history.rollback_started && state.leases[TARGET].epoch == 2
            }),
            Property::sometimes("a stray copy arrives after a rollback", |_, state: &State| {
                state.is_over() && state.objects.iter().all(Option::is_some)
            }),
        ]
    }
}

#[test]
fn locks_hold() {
    assert_holds("M1 locks", Locks { mutant: None, epochs: 2 });
}

#[test]
fn every_mutant_of_locks_is_found() {
    for (mutant, property) in [
        (Mutant::DeletionByUidOnly, "P4 stale requests have no effect"),
        (Mutant::RollbackByUidOnly, "P4 stale requests have no effect"),
        (Mutant::RollbackTurnsRound, "P7 a rollback is never turned round"),
        (Mutant::RollbackOfToday, "P2 nothing is lost"),
        (Mutant::NoEpoch, "P4 stale requests have no effect"),
        (Mutant::ResumeByUidOnly, "P8 a later run's pause stays"),
        (Mutant::RollbackSkipsUnpaused, "P9 an undone run leaves the source unpaused"),
        (Mutant::CommitBeforeHandOver, "L2 rollback until the hand-over"),
    ] {
        let model = Locks { mutant: Some(mutant), epochs: 2 };
        assert_finds(&format!("M1 {mutant:?}"), model, property);
    }
}
