//! The state of a run, derived from its journal by one pure function.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::journal::{Entry, JournalEvent};
use crate::order::Step;

/// The state of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PivotRun"))]
#[serde(rename_all = "camelCase")]
pub struct RunState {
    /// Name of the run, which is that of the Cluster.
    pub name: String,
    /// Folder of the run.
    pub folder: PathBuf,
    /// When it began, RFC 3339; null when nothing says.
    pub began: Option<String>,
    /// Process that has last worked on it; null when nothing says.
    pub pid: Option<u32>,
    /// True while a process works on it.
    pub running: bool,
    /// Every step.
    #[serde(serialize_with = "as_objects")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<NamedStep>"))]
    pub steps: Vec<(Step, StepState)>,
    /// True if it has ended well.
    pub finished: bool,
}

/// The state of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum StepState {
    /// Not begun.
    #[default]
    Waiting,
    /// Begun, and not ended when the journal was last written.
    Begun,
    /// Ended well.
    Done {
        /// One line of result.
        summary: String,
    },
    /// Failed.
    Failed {
        /// The cause.
        error: String,
    },
}

/// A step as documents have it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NamedStep {
    /// Name of the step.
    step: Step,
    #[serde(flatten)]
    state: StepState,
}

/// Writes steps as objects with a name and a state.
fn as_objects<S: Serializer>(steps: &[(Step, StepState)], to: S) -> Result<S::Ok, S::Error> {
    let named = |(step, state): &(Step, StepState)| NamedStep { step: *step, state: state.clone() };
    to.collect_seq(steps.iter().map(named))
}

impl StepState {
    /// Returns true if it has ended well.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

impl RunState {
    /// Returns true if the run has ended well.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Returns the state of a step.
    pub fn of(&self, step: Step) -> &StepState {
        let found = self.steps.iter().find(|(known, _)| *known == step);
        found.map_or(&StepState::Waiting, |(_, state)| state)
    }

    /// Returns true if objects of the cluster may have been applied. The journal says so before the
    /// first of them is sent, and a later step says it too.
    pub(crate) fn may_have_applied(&self) -> bool {
        let applying = |step: &Step| *step >= Step::ApplyCluster;
        self.steps.iter().any(|(step, state)| applying(step) && *state != StepState::Waiting)
    }

    /// Returns true if all objects of the cluster have been applied. A process that continues the
    /// run notes that step anew, but not those that have come after it.
    pub(super) fn has_applied(&self) -> bool {
        let is_later = |(step, state): &(Step, StepState)| {
            *step > Step::ApplyCluster && *state != StepState::Waiting
        };
        self.of(Step::ApplyCluster).is_done() || self.steps.iter().any(is_later)
    }

    pub(super) fn from_entries(name: &str, folder: &Path, entries: &[Entry]) -> Self {
        let mut state = Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            began: None,
            pid: None,
            running: false,
            steps: Step::ALL.map(|step| (step, StepState::Waiting)).to_vec(),
            finished: false,
        };
        for entry in entries {
            state.apply(entry);
        }
        state
    }

    fn apply(&mut self, entry: &Entry) {
        let (step, new) = match entry.what.clone() {
            JournalEvent::Began { pid } => {
                self.began.get_or_insert_with(|| entry.time.to_string());
                self.pid = Some(pid);
                return;
            }
            JournalEvent::Finished => {
                self.finished = true;
                return;
            }
            JournalEvent::Started { step } => (step, StepState::Begun),
            JournalEvent::Done { step, summary } => (step, StepState::Done { summary }),
            JournalEvent::Failed { step, error } => (step, StepState::Failed { error }),
        };
        match self.steps.iter_mut().find(|(known, _)| *known == step) {
            Some((_, state)) => *state = new,
            // A step of a deletion only.
            None => self.steps.push((step, new)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_last_word_on_a_step_counts() {
        let step = Step::Network;
        let entries = [
            JournalEvent::Began { pid: 1 },
            JournalEvent::Started { step },
            JournalEvent::Failed { step, error: "no chart".to_owned() },
            JournalEvent::Began { pid: 2 },
            JournalEvent::Started { step },
        ]
        .map(|what| Entry { time: Timestamp::UNIX_EPOCH, what });
        let at = |count: usize| RunState::from_entries("pivot", Path::new("/x"), &entries[..count]);
        assert_eq!(at(3).of(step), &StepState::Failed { error: "no chart".to_owned() });
        assert_eq!(at(5).of(step), &StepState::Begun);
        assert_eq!((at(5).pid, at(5).is_finished()), (Some(2), false));
        assert_eq!(at(5).of(Step::Move), &StepState::Waiting);
    }

    #[test]
    fn a_cluster_that_was_applied_stays_so_when_the_run_continues() {
        let done = |step| JournalEvent::Done { step, summary: String::new() };
        let entries = [
            JournalEvent::Started { step: Step::ApplyCluster },
            done(Step::ApplyCluster),
            JournalEvent::Started { step: Step::ControlPlane },
            JournalEvent::Started { step: Step::ApplyCluster },
        ]
        .map(|what| Entry { time: Timestamp::UNIX_EPOCH, what });
        let at = |count: usize| RunState::from_entries("pivot", Path::new("/x"), &entries[..count]);
        let applied: Vec<bool> = (0..=4).map(|count| at(count).has_applied()).collect();
        assert_eq!(applied, [false, false, true, true, true]);
    }
}
