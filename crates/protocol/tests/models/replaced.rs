//! M4 `replaced`: a run that was left, until its source is deleted or works again.
//!
//! A Cluster `C` with a Machine `M`, copied and handed over. One runner at a time does what a user
//! asks for: it continues the replacement, goes back, deletes what was left, or gives up a
//! target that is lost. It may crash at any moment, and its successor knows nothing but the two
//! records. Others write meanwhile: the controllers of a target that works, users of both clusters,
//! a second replacement into the same target, somebody who restores the target's etcd.
//!
//! What is abstracted:
//! - What comes before the hand-over, finalizers, and kinds that ignore pauses: `unit` has them.
//! - Late requests but the two of this part of a run, the pause and the resume of the target:
//!   `locks` has the others. A request carries a bit for the resource version that it was planned
//!   for, which every other write clears.
//! - Contents are one bit, `is_edited`. Two edits of one object count as the same change.
//! - A step of a controller is atomic, so waiting for its report is no step.
//! - Nobody but the run resumes the Cluster of the source: nothing holds back a tool that does.
//! - The target is lost while the run rests. If it is lost right when a deletion begins, the record
//!   of the source alone cannot tell that nothing is deleted yet.

use protocol::{Phase, Step, Write};
use stateright::{Model, Property};

use crate::explore::{assert_finds, assert_holds};

const SOURCE: usize = 0;
const TARGET: usize = 1;

const C: usize = 0;
const M: usize = 1;
const OBJECTS: [usize; 2] = [C, M];

/// Requests that may be on their way at once.
const IN_FLIGHT: usize = 2;
/// Steps within which a lone runner does what a user asks for.
const STEPS: usize = 24;

/// The rules of the protocol that a mutant leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    /// The target is compared while it works, and paused afterwards.
    ComparesBeforePause,
    /// The comparison looks at the copies only, and not for what has come beside them.
    ComparesCopiesOnly,
    /// A rollback leaves copies as they are that are paused already, so a late resume hits them.
    ResumesNotFenced,
    /// A target that continues is not touched, so a late pause hits it.
    PausesNotFenced,
    /// A copy is deleted whatever has become of it since it was compared.
    CopiesDeletedUnseen,
    /// A process that continues a rollback does not compare what is left of the copies.
    ComparesOnce,
    /// The old objects are deleted whatever has become of them since the copies were made.
    SourceDeletedUnseen,
    /// The old objects are deleted although the target has no list of the copies any more.
    ListNotNeeded,
    /// A second replacement takes the place of the record in the target.
    RecordOverwritten,
    /// A rollback is recorded in the source first, as the steps forward are.
    RollbackRecordedInSourceFirst,
    /// The way back is not written down before the target is paused.
    ReturnNotRecorded,
}

/// The model; with a mutant, one rule is missing.
struct Replaced {
    mutant: Option<Mutant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// `C` and `M` of each side.
    objects: [[Option<Object>; 2]; 2],
    /// `spec.paused` of the Cluster of each side.
    is_paused: [bool; 2],
    /// The target has a Machine that its controllers have created.
    has_new_machine: bool,
    /// The phase in the record of each side.
    records: [Option<Phase>; 2],
    /// The target has the list of the copies.
    has_list: bool,
    /// A second replacement rests in the target.
    has_second_run: bool,
    runner: Option<Runner>,
    network: Vec<Request>,
    history: History,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Object {
    is_edited: bool,
}

/// A wish of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Wish {
    /// `replace` or `resume`.
    Continue,
    /// `rollback`.
    GoBack,
    /// `replace --delete-old`.
    DeleteOld,
    /// `rollback --target-is-gone`.
    GiveUp,
}

const WISHES: [Wish; 4] = [Wish::Continue, Wish::GoBack, Wish::DeleteOld, Wish::GiveUp];

/// A runner with its memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Runner {
    wish: Wish,
    /// It waits for the answer to a request.
    waits: bool,
    /// No request of an earlier process can hit the target any more.
    has_fenced: bool,
    has_looked: bool,
    /// Nobody else has written to these objects of the side that is deleted since it looked.
    is_fresh: [bool; 2],
    /// It has found a reason to refuse.
    refuses: bool,
}

/// A write to the Cluster of the target that is on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Request {
    write: Write,
    is_fresh: bool,
    is_awaited: bool,
}

/// History, for properties that a single state does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct History {
    has_worked: bool,
    edited: [Option<usize>; 2],
    machine_was_removed: bool,
    was_reset: bool,
    rollback_recorded: bool,
    rollback_turned_round: bool,
    wrote_in_the_wrong_phase: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Ask(Wish),
    Run(Act),
    Crash,
    Deliver(Request),
    Lose(Request),
    /// A user or a tool.
    Edit {
        side: usize,
        object: usize,
    },
    /// The controllers of the target.
    CreateMachine,
    DeleteMachine,
    /// The target comes from a backup of before the replacement.
    Reset,
    SecondReplacement,
}

/// One step of the runner.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Send(Write),
    Fence,
    Compare,
    LookAtSource,
    Delete { side: usize, object: usize },
    ResumeSource,
    Record { side: usize, step: Step },
    Refuse,
    End,
}

impl State {
    /// The phase by the record that decides.
    fn phase(&self) -> Option<Phase> {
        self.records[TARGET].or(self.records[SOURCE])
    }

    fn is_active(&self, side: usize) -> bool {
        self.objects[side][C].is_some() && !self.is_paused[side]
    }

    fn is_empty(&self, side: usize) -> bool {
        self.objects[side] == [None, None] && !(side == TARGET && self.has_new_machine)
    }

    /// Returns whether a copy is there and as the original is.
    fn is_same(&self, object: usize) -> bool {
        self.objects[TARGET][object] == self.objects[SOURCE][object]
    }

    fn has_edited_copy(&self) -> bool {
        let is_edited = |object: usize| {
            self.objects[TARGET][object].is_some_and(|copy| copy.is_edited) && !self.is_same(object)
        };
        OBJECTS.into_iter().any(is_edited)
    }

    /// Returns whether the target is as it was copied.
    fn is_as_copied(&self) -> bool {
        OBJECTS.into_iter().all(|object| self.is_same(object)) && !self.has_new_machine
    }

    /// Notes a write to an object that is not the runner's.
    fn touch(&mut self, side: usize, object: usize) {
        let goes_back = matches!(self.phase(), Some(Phase::Returning | Phase::Undoing));
        let deletes = if goes_back { TARGET } else { SOURCE };
        if let Some(runner) = self.runner.as_mut().filter(|_| side == deletes) {
            runner.is_fresh[object] = false;
        }
        if (side, object) == (TARGET, C) {
            self.outdate_requests();
        }
    }

    fn outdate_requests(&mut self) {
        self.network.iter_mut().for_each(|request| request.is_fresh = false);
    }
}

impl Replaced {
    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Returns the next step of the runner; `None` while it waits for an answer.
    fn next(&self, state: &State) -> Option<Act> {
        let runner = state.runner.as_ref().filter(|runner| !runner.waits)?;
        let Some(phase) = state.phase() else { return Some(Act::End) };
        if runner.wish == Wish::GiveUp {
            return Some(Self::give_up(state, phase));
        }
        Some(match phase {
            Phase::HandingOver if runner.wish == Wish::GoBack => {
                self.record(state, phase, Step::RollbackStarted)
            }
            Phase::HandingOver => self.record(state, phase, Step::SourceKept),
            Phase::Leaving if runner.wish == Wish::GoBack && !runner.refuses => self.go_back(state),
            Phase::Leaving if state.is_paused[TARGET] => Act::Send(Write::ResumeTarget),
            Phase::Leaving => self.record(state, phase, Step::Resumed),
            Phase::Left => match runner.wish {
                _ if runner.refuses => Act::End,
                Wish::GoBack => self.go_back(state),
                Wish::DeleteOld => self.begin_deletion(state, runner),
                Wish::Continue | Wish::GiveUp => Act::End,
            },
            Phase::Returning if runner.wish == Wish::GoBack && !runner.refuses => {
                self.compare(state, runner)
            }
            Phase::Returning if runner.has_fenced || self.is(Mutant::PausesNotFenced) => {
                self.record(state, phase, Step::ReturnRefused)
            }
            Phase::Returning => Act::Fence,
            Phase::Undoing if runner.wish != Wish::GoBack => Act::End,
            Phase::Undoing => self.undo(state, runner),
            Phase::Deleting if runner.wish == Wish::GoBack => Act::End,
            Phase::Deleting => self.delete(state, runner),
            Phase::Resuming => self.record(state, phase, Step::Resumed),
            Phase::Preparing | Phase::Committed | Phase::Finished => Act::End,
        })
    }

    /// Forward the record that decides is written last, in a rollback first.
    fn record(&self, state: &State, phase: Phase, step: Step) -> Act {
        let next = phase.after(step).expect("a runner takes legal steps");
        let is_first_in_target =
            step == Step::RollbackStarted && !self.is(Mutant::RollbackRecordedInSourceFirst);
        let [first, last] = if is_first_in_target { [TARGET, SOURCE] } else { [SOURCE, TARGET] };
        let side = if state.records[first] == Some(next) { last } else { first };
        Act::Record { side, step }
    }

    fn go_back(&self, state: &State) -> Act {
        match state.phase() {
            _ if !state.has_list => Act::Refuse,
            Some(phase) if !self.is(Mutant::ReturnNotRecorded) => {
                self.record(state, phase, Step::ReturnStarted)
            }
            _ if state.is_active(TARGET) => Act::Send(Write::PauseTarget),
            Some(phase) => self.record(state, phase, Step::ReturnStarted),
            None => Act::End,
        }
    }

    fn compare(&self, state: &State, runner: &Runner) -> Act {
        let is_fenced = runner.has_fenced || self.is(Mutant::ResumesNotFenced);
        let is_early = self.is(Mutant::ComparesBeforePause) && !runner.has_looked;
        match state.is_active(TARGET) {
            _ if !is_fenced => Act::Fence,
            true if !is_early => Act::Send(Write::PauseTarget),
            _ if !runner.has_looked => Act::Compare,
            _ => self.record(state, Phase::Returning, Step::RollbackStarted),
        }
    }

    fn undo(&self, state: &State, runner: &Runner) -> Act {
        if state.records[SOURCE] != Some(Phase::Undoing)
            && state.records[SOURCE] != Some(Phase::Finished)
        {
            return Act::Record { side: SOURCE, step: Step::RollbackStarted };
        }
        let left = [M, C].into_iter().find(|object| state.objects[TARGET][*object].is_some());
        if let Some(object) = left {
            if !runner.has_looked && !self.is(Mutant::ComparesOnce) {
                return Act::Compare;
            }
            let is_known = runner.is_fresh[object] || !runner.has_looked;
            return match is_known || self.is(Mutant::CopiesDeletedUnseen) {
                true => Act::Delete { side: TARGET, object },
                false => Act::Refuse,
            };
        }
        match state.is_paused[SOURCE] {
            true => Act::ResumeSource,
            false => self.record(state, Phase::Undoing, Step::RolledBack),
        }
    }

    fn begin_deletion(&self, state: &State, runner: &Runner) -> Act {
        match runner.has_looked {
            _ if !state.has_list && !self.is(Mutant::ListNotNeeded) => Act::Refuse,
            false => Act::LookAtSource,
            true => self.record(state, Phase::Left, Step::DeletionStarted),
        }
    }

    fn delete(&self, state: &State, runner: &Runner) -> Act {
        let left = [M, C].into_iter().find(|object| state.objects[SOURCE][*object].is_some());
        let Some(object) = left else {
            return self.record(state, Phase::Deleting, Step::SourceDeleted);
        };
        if !runner.has_looked {
            return Act::LookAtSource;
        }
        match runner.is_fresh[object] || self.is(Mutant::SourceDeletedUnseen) {
            true => Act::Delete { side: SOURCE, object },
            false => Act::Refuse,
        }
    }

    /// Of the target nothing is left; the source's record decides.
    fn give_up(state: &State, phase: Phase) -> Act {
        match phase {
            Phase::Leaving | Phase::Left | Phase::Returning | Phase::HandingOver => {
                Act::Record { side: SOURCE, step: Step::RollbackStarted }
            }
            Phase::Undoing if state.is_paused[SOURCE] => Act::ResumeSource,
            Phase::Undoing => Act::Record { side: SOURCE, step: Step::RolledBack },
            _ => Act::End,
        }
    }

    fn run(&self, state: &mut State, act: Act) {
        let phase = state.phase();
        let write = match act {
            Act::Send(write) => Some(write),
            Act::Delete { side: SOURCE, .. } => Some(Write::DeleteSource),
            Act::Delete { .. } => Some(Write::DeleteCopy),
            Act::ResumeSource => Some(Write::ResumeSource),
            Act::Fence => Some(Write::RaiseEpoch),
            _ => None,
        };
        let is_allowed = |write| phase.is_some_and(|phase| phase.allows(write));
        state.history.wrote_in_the_wrong_phase |= write.is_some_and(|write| !is_allowed(write));
        let Some(mut runner) = state.runner.take() else { return };
        match act {
            Act::Send(write) => {
                state.network.push(Request { write, is_fresh: true, is_awaited: true });
                state.network.sort();
                runner.waits = true;
            }
            Act::Fence => {
                state.outdate_requests();
                runner.has_fenced = true;
            }
            Act::Compare => {
                let has_come = state.has_new_machine && !self.is(Mutant::ComparesCopiesOnly);
                runner.refuses = match phase {
                    // Edits of the source are no reason: it has them.
                    Some(Phase::Undoing) => state.has_edited_copy(),
                    _ => has_come || !OBJECTS.into_iter().all(|object| state.is_same(object)),
                };
                runner.has_looked = true;
                runner.is_fresh = [true; 2];
            }
            Act::LookAtSource => {
                let is_edited = |object: &Option<Object>| object.is_some_and(|it| it.is_edited);
                let is_safe = |object: usize| {
                    !is_edited(&state.objects[SOURCE][object]) || state.is_same(object)
                };
                let is_blind = self.is(Mutant::SourceDeletedUnseen);
                runner.refuses = !is_blind && !OBJECTS.into_iter().all(is_safe);
                runner.has_looked = true;
                runner.is_fresh = [true; 2];
            }
            Act::Delete { side, object } => state.objects[side][object] = None,
            Act::ResumeSource => state.is_paused[SOURCE] = false,
            Act::Record { side, step } => Self::write_down(state, &mut runner, side, step),
            Act::Refuse | Act::End => return,
        }
        if runner.refuses && matches!(phase, Some(Phase::Undoing | Phase::Deleting)) {
            return;
        }
        state.runner = Some(runner);
    }

    fn write_down(state: &mut State, runner: &mut Runner, side: usize, step: Step) {
        let Some(phase) = state.phase() else { return };
        let Ok(next) = phase.after(step) else {
            // The target is gone, and the source's record is the only one.
            state.records[side] = Some(Phase::Undoing);
            return;
        };
        state.records[side] = Some(next);
        state.history.rollback_recorded |= next == Phase::Undoing;
        let is_decided = state.phase() == Some(next) && side == TARGET;
        let goes_on = matches!(next, Phase::Leaving | Phase::Deleting);
        state.history.rollback_turned_round |=
            state.history.rollback_recorded && goes_on && is_decided;
        if is_decided {
            // What it has compared before the first deletion still counts.
            runner.has_looked &= matches!(next, Phase::Undoing | Phase::Deleting);
            runner.has_fenced = false;
        }
    }

    fn deliver(state: &mut State, request: &Request) {
        if let Some(runner) = state.runner.as_mut().filter(|_| request.is_awaited) {
            runner.waits = false;
        }
        if !request.is_fresh || state.objects[TARGET][C].is_none() {
            return;
        }
        state.is_paused[TARGET] = request.write == Write::PauseTarget;
        state.history.has_worked |= !state.is_paused[TARGET];
        state.outdate_requests();
    }

    fn ask(wish: Wish) -> Runner {
        Runner {
            wish,
            waits: false,
            has_fenced: false,
            has_looked: false,
            is_fresh: [false; 2],
            refuses: false,
        }
    }

    /// Returns whether somebody may carry a wish out: the record of the run has to be there.
    fn can_ask(&self, state: &State, wish: Wish) -> bool {
        let is_hidden = self.is(Mutant::RecordOverwritten) && state.has_second_run;
        let is_there = state.phase().is_some_and(|phase| phase != Phase::Finished);
        is_there && !is_hidden && (wish != Wish::GiveUp || state.history.was_reset)
    }

    /// Lets a fresh runner alone carry a wish out. Returns the state in which it ends.
    fn alone(&self, state: &State, wish: Wish) -> Option<State> {
        let mut state = state.clone();
        state.network.clear();
        if !self.can_ask(&state, wish) {
            return None;
        }
        state.runner = Some(Self::ask(wish));
        for _ in 0..STEPS {
            if let Some(request) = state.network.pop() {
                Self::deliver(&mut state, &request);
            }
            let Some(act) = self.next(&state) else { break };
            self.run(&mut state, act);
        }
        state.runner.is_none().then_some(state)
    }

    /// Returns whether the user can come to an end from here.
    fn can_end(&self, state: &State) -> bool {
        let Some(phase) = state.phase().filter(|phase| *phase != Phase::Finished) else {
            return true;
        };
        let is_over = |end: &State| end.phase().is_none_or(|phase| phase == Phase::Finished);
        let has_edits = state.history.edited != [None, None];
        if state.history.was_reset {
            let end = self.alone(state, Wish::GiveUp);
            return end.is_some_and(|end| is_over(&end) && end.is_active(SOURCE));
        }
        if phase == Phase::Undoing {
            let is_edited = state.history.edited[TARGET].is_some();
            return self.alone(state, Wish::GoBack).is_some_and(|end| is_over(&end) || is_edited);
        }
        let deleted = self.alone(state, Wish::DeleteOld);
        let ends = deleted.is_some_and(|end| {
            (is_over(&end) && end.is_empty(SOURCE)) || state.history.edited[SOURCE].is_some()
        });
        let rests = self.alone(state, Wish::Continue).is_some_and(|end| {
            let is_resting = end.phase() == Some(Phase::Left) && end.is_active(TARGET);
            is_resting || is_over(&end) || has_edits
        });
        ends && rests
    }

    /// Returns whether a rollback leads back to the source, as long as the target is as it was
    /// copied.
    fn can_return(&self, state: &State) -> bool {
        let may_return = state.phase().is_some_and(Phase::can_roll_back);
        if !may_return || !state.is_as_copied() || state.history.was_reset {
            return true;
        }
        self.alone(state, Wish::GoBack).is_some_and(|end| {
            end.phase() == Some(Phase::Finished) && end.is_active(SOURCE) && end.is_empty(TARGET)
        })
    }

    /// Adds what others do.
    fn others(state: &State, actions: &mut Vec<Action>) {
        for side in [SOURCE, TARGET] {
            let is_open = state.history.edited[side].is_none()
                && (side == SOURCE || state.history.has_worked);
            let there = OBJECTS.into_iter().filter(|object| state.objects[side][*object].is_some());
            actions.extend(there.filter(|_| is_open).map(|object| Action::Edit { side, object }));
        }
        if state.is_active(TARGET) {
            if !state.has_new_machine {
                actions.push(Action::CreateMachine);
            }
            if state.objects[TARGET][M].is_some() {
                actions.push(Action::DeleteMachine);
            }
        }
        let rests = |side: usize| state.records[side] == Some(Phase::Left);
        if state.runner.is_none() && rests(TARGET) {
            actions.extend(rests(SOURCE).then_some(Action::Reset));
            actions.extend((!state.has_second_run).then_some(Action::SecondReplacement));
        }
    }
}

impl Model for Replaced {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let objects = [Some(Object::default()); 2];
        vec![State {
            objects: [objects; 2],
            is_paused: [true; 2],
            has_new_machine: false,
            records: [Some(Phase::HandingOver); 2],
            has_list: true,
            has_second_run: false,
            runner: Some(Self::ask(Wish::Continue)),
            network: Vec::new(),
            history: History::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        match &state.runner {
            None => {
                let wishes = WISHES.into_iter().filter(|wish| self.can_ask(state, *wish));
                actions.extend(wishes.map(Action::Ask));
            }
            Some(_) => {
                let is_full = state.network.len() == IN_FLIGHT;
                let next = self.next(state).filter(|act| !is_full || !matches!(act, Act::Send(_)));
                actions.extend(next.map(Action::Run));
                actions.push(Action::Crash);
            }
        }
        for request in &state.network {
            actions.push(Action::Deliver(request.clone()));
            if !request.is_awaited {
                actions.push(Action::Lose(request.clone()));
            }
        }
        Self::others(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Ask(wish) => next.runner = Some(Self::ask(wish)),
            Action::Run(act) => self.run(&mut next, act),
            Action::Crash => {
                next.runner = None;
                next.network.iter_mut().for_each(|request| request.is_awaited = false);
                next.network.sort();
            }
            Action::Deliver(request) | Action::Lose(request)
                if !next.network.contains(&request) =>
            {
                return None;
            }
            Action::Deliver(request) => {
                next.network.retain(|other| *other != request);
                Self::deliver(&mut next, &request);
            }
            Action::Lose(request) => next.network.retain(|other| *other != request),
            Action::Edit { side, object } => {
                next.objects[side][object].as_mut()?.is_edited = true;
                next.history.edited[side] = Some(object);
                next.touch(side, object);
            }
            Action::CreateMachine => next.has_new_machine = true,
            Action::DeleteMachine => {
                next.objects[TARGET][M] = None;
                next.history.machine_was_removed = true;
            }
            Action::Reset => {
                next.objects[TARGET] = [None; 2];
                next.records[TARGET] = None;
                (next.has_new_machine, next.has_list, next.has_second_run) = (false, false, false);
                next.network.clear();
                next.history.was_reset = true;
            }
            Action::SecondReplacement => next.has_second_run = true,
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("P1 never active twice", |_, state: &State| {
                !(state.is_active(SOURCE) && state.is_active(TARGET))
            }),
            Property::always("P2 nothing is lost", |_, state: &State| {
                let is_safe = |object: usize| {
                    let is_there = [SOURCE, TARGET].map(|side| state.objects[side][object]);
                    is_there != [None, None] || (object == M && state.history.machine_was_removed)
                };
                OBJECTS.into_iter().all(is_safe)
            }),
            Property::always("P5 no edit is lost", |_, state: &State| {
                let is_kept = |object: usize| {
                    let is_edited = |object: &Option<Object>| object.is_some_and(|it| it.is_edited);
                    let is_gone = state.history.was_reset
                        || (object == M && state.history.machine_was_removed);
                    is_gone || state.objects.iter().any(|objects| is_edited(&objects[object]))
                };
                state.history.edited.into_iter().flatten().all(is_kept)
            }),
            Property::always("P6 writes only in their phase", |_, state: &State| {
                !state.history.wrote_in_the_wrong_phase
            }),
            Property::always("P7 no rollback is turned round", |_, state: &State| {
                !state.history.rollback_turned_round
            }),
            Property::always("P8 a target at rest works", |_, state: &State| {
                state.records[TARGET] != Some(Phase::Left) || !state.is_paused[TARGET]
            }),
            Property::always("P9 a rollback leaves nothing in the target", |_, state: &State| {
                let is_rolled_back = state.phase() == Some(Phase::Finished)
                    && state.history.rollback_recorded
                    && !state.history.was_reset;
                !is_rolled_back || state.is_empty(TARGET)
            }),
            Property::always("L1 the run ends", |model, state: &State| model.can_end(state)),
            Property::always("L2 the way back is open", |model, state: &State| {
                model.can_return(state)
            }),
            Property::sometimes("what was left is deleted", |_, state: &State| {
                state.phase() == Some(Phase::Finished) && state.is_empty(SOURCE)
            }),
            Property::sometimes("a replacement is rolled back", |_, state: &State| {
                let is_back = state.is_active(SOURCE) && state.is_empty(TARGET);
                state.phase() == Some(Phase::Finished) && is_back && state.history.has_worked
            }),
            Property::sometimes("a target that has gone on continues", |_, state: &State| {
                let continues = state.records == [Some(Phase::Left); 2];
                continues
                    && state.has_new_machine
                    && state
                        .runner
                        .as_ref()
                        .is_some_and(|runner| runner.wish == Wish::GoBack && runner.refuses)
            }),
            Property::sometimes("a lost target is given up", |_, state: &State| {
                state.history.was_reset && state.is_active(SOURCE)
            }),
        ]
    }
}

#[test]
fn replaced_holds() {
    assert_holds("M4 replaced", Replaced { mutant: None });
}

#[test]
fn every_mutant_of_replaced_is_found() {
    for (mutant, property) in [
        (Mutant::ComparesBeforePause, "P9 a rollback leaves nothing in the target"),
        (Mutant::ComparesCopiesOnly, "P9 a rollback leaves nothing in the target"),
        (Mutant::ResumesNotFenced, "P9 a rollback leaves nothing in the target"),
        (Mutant::PausesNotFenced, "P8 a target at rest works"),
        (Mutant::CopiesDeletedUnseen, "P5 no edit is lost"),
        (Mutant::ComparesOnce, "P5 no edit is lost"),
        (Mutant::SourceDeletedUnseen, "P5 no edit is lost"),
        (Mutant::ListNotNeeded, "P2 nothing is lost"),
        (Mutant::RecordOverwritten, "L1 the run ends"),
        (Mutant::RecordOverwritten, "L2 the way back is open"),
        (Mutant::RollbackRecordedInSourceFirst, "P7 no rollback is turned round"),
        (Mutant::ReturnNotRecorded, "P8 a target at rest works"),
    ] {
        assert_finds(&format!("M4 {mutant:?}"), Replaced { mutant: Some(mutant) }, property);
    }
}
