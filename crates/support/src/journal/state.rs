//! The state of a run, from its events: one pure function.

use std::error::Error;

use jiff::Timestamp;
use serde::Serialize;

use super::event::RunEvent;
use super::store::History;

/// A run as the journal knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Journal"))]
#[serde(rename_all = "camelCase")]
pub struct RunState {
    /// Id of the run.
    pub run: String,
    /// Operation of the last process: `move`, `backup`, `restore` or `rollback`.
    pub operation: String,
    /// Origin of the objects: URL or directory.
    pub source: String,
    /// Destination of the objects: URL or directory.
    pub target: String,
    /// When the first process took the lock, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub begun: Timestamp,
    /// Number of processes that have worked on the run.
    pub attempts: usize,
    /// The phases of all processes, in the order in which they began.
    pub phases: Vec<PhaseState>,
    /// Number of the batch in flight and of all, from the second one on; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Done>,
    /// Progress of the last phase; absent if it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Done>,
    /// Directory of the latest backup of this run; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
    /// End of the last process; absent while it works, and when it was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// One phase of one process.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "JournalPhase"))]
#[serde(rename_all = "camelCase")]
pub struct PhaseState {
    /// Stable name of the phase.
    pub phase: String,
    /// When it began, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub started: Timestamp,
    /// Seconds that it took; absent while it runs, and when its process was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// `running`, `done`, `failed`, or `killed` when its process has left no end of it.
    pub state: Course,
}

/// The course of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Course {
    /// It runs.
    Running,
    /// It has reached its end.
    Done,
    /// It has not.
    Failed,
    /// The process was killed.
    Killed,
}

/// Progress of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {
    /// Units done.
    pub done: usize,
    /// Units in total.
    pub total: usize,
}

/// The end of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "JournalEnd"))]
pub struct Ended {
    /// When, RFC 3339.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub time: Timestamp,
    /// The outcome, as in the report.
    pub outcome: String,
    /// The error; absent when the run has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An event that cannot happen in this state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot happen {when}")]
pub struct IllegalEvent {
    event: Box<RunEvent>,
    when: &'static str,
}

impl History for RunState {
    type Event = RunEvent;

    fn after(self, time: Timestamp, event: RunEvent) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self::after(self, time, &event)?)
    }
}

impl RunState {
    /// Returns true if a phase is open.
    pub fn is_in_a_phase(&self) -> bool {
        self.running().is_some()
    }

    fn running(&self) -> Option<&PhaseState> {
        self.phases.last().filter(|phase| phase.state == Course::Running)
    }

    /// The state after an event at this time.
    ///
    /// # Errors
    /// `IllegalEvent` when it cannot happen in this state.
    pub fn after(mut self, time: Timestamp, event: &RunEvent) -> Result<Self, IllegalEvent> {
        let illegal = |when| Err(IllegalEvent { event: Box::new(event.clone()), when });
        if !matches!(event, RunEvent::Begun { .. }) {
            if self.attempts == 0 {
                return illegal("before the run has begun");
            }
            if self.ended.is_some() {
                return illegal("after the run has ended");
            }
        }
        match event {
            RunEvent::Begun { run, .. } if self.attempts > 0 && *run != self.run => {
                return illegal("in the journal of another run");
            }
            RunEvent::Begun { run, operation, source, target } => {
                self.close(Course::Killed, None);
                if self.attempts == 0 {
                    self.begun = time;
                }
                self.attempts += 1;
                self.run.clone_from(run);
                self.operation.clone_from(operation);
                self.source.clone_from(source);
                self.target.clone_from(target);
                self.ended = None;
            }
            RunEvent::BatchStarted { .. } if self.is_in_a_phase() => {
                return illegal("while a phase lasts");
            }
            RunEvent::BatchStarted { batch, batches } => {
                self.batch = Some(Done { done: *batch, total: *batches });
            }
            RunEvent::PhaseStarted { .. } if self.is_in_a_phase() => {
                return illegal("while another phase runs");
            }
            RunEvent::PhaseStarted { phase } => {
                let (phase, state) = (phase.clone(), Course::Running);
                self.phases.push(PhaseState { phase, started: time, seconds: None, state });
                self.progress = None;
            }
            RunEvent::Progress { done, total } if self.is_in_a_phase() => {
                self.progress = Some(Done { done: *done, total: *total });
            }
            RunEvent::Progress { .. } => return illegal("outside a phase"),
            RunEvent::PhaseEnded { phase, .. }
                if self.running().is_none_or(|running| running.phase != *phase) =>
            {
                return illegal("while this phase does not run");
            }
            RunEvent::PhaseEnded { failed, .. } => {
                self.close(if *failed { Course::Failed } else { Course::Done }, Some(time));
            }
            RunEvent::BackedUp { directory } => self.backup = Some(directory.clone()),
            RunEvent::Ended { .. } if self.is_in_a_phase() => return illegal("during a phase"),
            RunEvent::Ended { outcome, error } => {
                self.ended = Some(Ended { time, outcome: outcome.clone(), error: error.clone() });
            }
        }
        Ok(self)
    }

    fn close(&mut self, state: Course, time: Option<Timestamp>) {
        if let Some(phase) = self.phases.last_mut().filter(|p| p.state == Course::Running) {
            phase.state = state;
            phase.seconds = time.map(|time| time.duration_since(phase.started).as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(run: &str) -> RunEvent {
        let text = |text: &str| text.to_owned();
        RunEvent::Begun {
            run: text(run),
            operation: text("move"),
            source: text("s"),
            target: text("t"),
        }
    }

    fn started(phase: &str) -> RunEvent {
        RunEvent::PhaseStarted { phase: phase.to_owned() }
    }

    fn ended(phase: &str, failed: bool) -> RunEvent {
        RunEvent::PhaseEnded { phase: phase.to_owned(), failed }
    }

    fn end() -> RunEvent {
        RunEvent::Ended { outcome: "moved".to_owned(), error: None }
    }

    fn replay(events: &[RunEvent]) -> Result<RunState, IllegalEvent> {
        let at = |second: usize| Timestamp::from_second(second as i64).expect("a time");
        let mut events = events.iter().enumerate();
        events
            .try_fold(RunState::default(), |state, (second, event)| state.after(at(second), event))
    }

    #[test]
    fn a_killed_run_that_is_continued() {
        let progress = RunEvent::Progress { done: 3, total: 9 };
        let first =
            [begun("r"), started("pause"), ended("pause", false), started("copy"), progress];
        let state = replay(&first).expect("legal");
        assert_eq!(state.progress, Some(Done { done: 3, total: 9 }));
        assert!(state.is_in_a_phase());
        let second = [begun("r"), started("copy"), ended("copy", true), end()];
        let state = replay(&[&first[..], &second].concat()).expect("legal");
        let course: Vec<_> = state.phases.iter().map(|p| (p.phase.as_str(), p.state)).collect();
        let wanted = [("pause", Course::Done), ("copy", Course::Killed), ("copy", Course::Failed)];
        assert_eq!((state.attempts, course), (2, wanted.to_vec()));
        assert_eq!(state.phases[0].seconds, Some(1.0));
        assert_eq!(state.ended.map(|ended| ended.outcome).as_deref(), Some("moved"));
    }

    #[test]
    fn an_impossible_event_is_an_error() {
        for (events, when) in [
            (vec![started("copy")], "before the run has begun"),
            (vec![begun("r"), begun("other")], "another run"),
            (vec![begun("r"), started("a"), started("b")], "another phase runs"),
            (vec![begun("r"), ended("a", false)], "this phase does not run"),
            (vec![begun("r"), started("a"), ended("b", false)], "this phase does not run"),
            (vec![begun("r"), RunEvent::Progress { done: 1, total: 1 }], "outside a phase"),
            (vec![begun("r"), started("a"), end()], "during a phase"),
            (vec![begun("r"), end(), started("a")], "after the run has ended"),
        ] {
            let error = replay(&events).expect_err(when).to_string();
            assert!(error.contains(when), "{error}");
        }
    }
}
