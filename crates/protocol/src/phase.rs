//! The phases of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The progress of a run. A run writes its phase down before it acts on it.
///
/// ```text
/// Preparing --CopiesVerified--> HandingOver --CopiesHandedOver--> Deleting --SourceDeleted--> Resuming --Resumed--> Finished
///     |                              |                               ^                                                 ^
///     +-------RollbackStarted--------+                   Committed --+ (before version 4)                              |
///                     |                                                                                                |
///                     +--------> Undoing --RolledBack------------------------------------------------------------------+
/// ```
///
/// A replacement leaves its source as it is, paused. Its commit leads to another rest, from which a
/// run goes on to delete what it has left, or goes back:
///
/// ```text
/// HandingOver --SourceKept--> Leaving --Resumed--> Left --DeletionStarted--> Deleting
///                                ^  |               |
///                  ReturnRefused |  +-ReturnStarted-+
///                                |          v
///                                +----- Returning --RollbackStarted--> Undoing
/// ```
///
/// A move in batches goes through the machine once for each batch.
///
/// Programs that know records before version 4 do not know `handingOver`, and the oldest of them
/// neither `undoing` nor the epochs of take-overs. So a record of a run under this machine has a
/// higher version even while it is `preparing`: they must not carry it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The source is paused, copies are created and verified. The run can be rolled back.
    Preparing,
    /// The copies are verified and their uids are written down; they get the field ownership of
    /// their sources. The run can be rolled back.
    HandingOver,
    /// Of records before version 4 only: as `handingOver`, but without a list of uids. Nothing
    /// tells the copies from other objects any more, so the run goes forward only. No step leads
    /// here.
    Committed,
    /// The first deletion in the source may have begun. The run goes forward only.
    Deleting,
    /// The source holds nothing of what moved; Clusters get their pause state back.
    Resuming,
    /// The source stays, paused; the Clusters of the target get their pause state back.
    Leaving,
    /// The target works, and the source has everything that was copied, paused. The run rests.
    Left,
    /// The target is paused again and compared with the source, for a rollback.
    Returning,
    /// The copies are being removed, then the source gets its pause state back. Nothing leads back
    /// to a move.
    Undoing,
    /// The run is over, as a move or as a rollback; only its records are left.
    Finished,
}

/// An achievement that moves a run to its next phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// All copies were read back equal, and their uids are written down.
    CopiesVerified,
    /// All copies have the field ownership and the finalizers of their sources. This step is the
    /// commit.
    CopiesHandedOver,
    /// The source holds nothing of what moved.
    SourceDeleted,
    /// All Clusters have their pause state back.
    Resumed,
    /// All copies have the field ownership and the finalizers of their sources, and the source
    /// stays. This step is the commit of a replacement.
    SourceKept,
    /// A user wants what was left to be deleted.
    DeletionStarted,
    /// A user wants to go back to the source. A process that continues takes this step again.
    ReturnStarted,
    /// The target is not as it was copied any more, so it continues.
    ReturnRefused,
    /// A user or a failure has decided to roll the run back. A continued rollback takes this step
    /// again: only one of the two records may say so yet.
    RollbackStarted,
    /// The target holds no copy, and the source has its pause state back.
    RolledBack,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 10] = [
        Self::CopiesVerified,
        Self::CopiesHandedOver,
        Self::SourceDeleted,
        Self::Resumed,
        Self::SourceKept,
        Self::DeletionStarted,
        Self::ReturnStarted,
        Self::ReturnRefused,
        Self::RollbackStarted,
        Self::RolledBack,
    ];
}

/// A step that does not belong to the phase of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the step {step:?} does not belong to a run that is {phase}")]
pub struct IllegalStep {
    /// The phase of the run.
    pub phase: Phase,
    /// The step.
    pub step: Step,
}

/// Ways in which `resume` treats a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnResume {
    /// Checks both clusters again and prepares the move again under the same id.
    Prepare,
    /// Hands field ownership over to the copies, then deletes.
    HandOver,
    /// Looks at both sides again, then deletes.
    Delete,
    /// Looks for names that came back in the source, then resumes the Clusters.
    ResumeClusters,
    /// Resumes the Clusters of the target, and leaves the source as it is.
    ResumeTarget,
    /// Does nothing: the run rests, until somebody deletes what it has left or goes back.
    Rest,
    /// Removes the records.
    RemoveRecords,
    /// Does nothing.
    Refuse(Refusal),
}

/// Ways in which `rollback` treats a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnRollback {
    /// Records the phase `undoing` on the target, then on the source, then removes the copies.
    Start,
    /// Pauses the target and compares it with the source; then as [`OnRollback::Start`].
    Return,
    /// Removes the copies that are left, then resumes the source.
    Continue,
    /// Does nothing.
    Refuse(Refusal),
}

/// The reason to refuse `resume` or `rollback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The run is being rolled back; only `rollback` continues it.
    RollingBack,
    /// Objects of the source may be gone already; only `resume` continues the run.
    Committed,
    /// The run is over; `resume` removes its records.
    Finished,
}

impl Phase {
    /// All phases.
    pub const ALL: [Self; 10] = [
        Self::Preparing,
        Self::HandingOver,
        Self::Committed,
        Self::Deleting,
        Self::Resuming,
        Self::Leaving,
        Self::Left,
        Self::Returning,
        Self::Undoing,
        Self::Finished,
    ];

    /// Returns the phase after a step.
    ///
    /// # Errors
    /// [`IllegalStep`] when the step does not belong to this phase.
    pub fn after(self, step: Step) -> Result<Self, IllegalStep> {
        match (self, step) {
            (Self::Preparing, Step::CopiesVerified) => Ok(Self::HandingOver),
            (Self::HandingOver | Self::Committed, Step::CopiesHandedOver) => Ok(Self::Deleting),
            (Self::Deleting, Step::SourceDeleted) => Ok(Self::Resuming),
            (Self::Resuming, Step::Resumed) => Ok(Self::Finished),
            (Self::HandingOver, Step::SourceKept) | (Self::Returning, Step::ReturnRefused) => {
                Ok(Self::Leaving)
            }
            (Self::Leaving, Step::Resumed) => Ok(Self::Left),
            (Self::Left, Step::DeletionStarted) => Ok(Self::Deleting),
            (Self::Leaving | Self::Left | Self::Returning, Step::ReturnStarted) => {
                Ok(Self::Returning)
            }
            (
                Self::Preparing | Self::HandingOver | Self::Returning | Self::Undoing,
                Step::RollbackStarted,
            ) => Ok(Self::Undoing),
            (Self::Undoing, Step::RolledBack) => Ok(Self::Finished),
            (phase, step) => Err(IllegalStep { phase, step }),
        }
    }

    /// Returns the phase in which the next batch of a run starts, once the one before is over.
    ///
    /// # Errors
    /// [`IllegalStep`] in every phase but the last.
    pub fn next_batch(self) -> Result<Self, IllegalStep> {
        match self {
            Self::Finished => Ok(Self::Preparing),
            phase => Err(IllegalStep { phase, step: Step::Resumed }),
        }
    }

    /// Returns whether a rollback may start, or continue, in this phase.
    pub fn can_roll_back(self) -> bool {
        matches!(self, Self::Preparing | Self::HandingOver | Self::Undoing) || self.is_left()
    }

    /// Returns whether the target has what was copied, and the source still has it too.
    pub fn is_left(self) -> bool {
        matches!(self, Self::Leaving | Self::Left | Self::Returning)
    }

    /// Returns whether the run has passed its commit, so that objects of the source may be gone.
    pub fn is_committed(self) -> bool {
        matches!(self, Self::Committed | Self::Deleting | Self::Resuming)
    }

    /// Returns how `resume` treats a run in this phase.
    pub fn on_resume(self) -> OnResume {
        match self {
            Self::Preparing => OnResume::Prepare,
            Self::HandingOver | Self::Committed => OnResume::HandOver,
            Self::Deleting => OnResume::Delete,
            Self::Resuming => OnResume::ResumeClusters,
            Self::Leaving | Self::Returning => OnResume::ResumeTarget,
            Self::Left => OnResume::Rest,
            Self::Undoing => OnResume::Refuse(Refusal::RollingBack),
            Self::Finished => OnResume::RemoveRecords,
        }
    }

    /// Returns how `rollback` treats a run in this phase.
    pub fn on_rollback(self) -> OnRollback {
        match self {
            Self::Preparing | Self::HandingOver => OnRollback::Start,
            Self::Leaving | Self::Left | Self::Returning => OnRollback::Return,
            Self::Undoing => OnRollback::Continue,
            Self::Committed | Self::Deleting | Self::Resuming => {
                OnRollback::Refuse(Refusal::Committed)
            }
            Self::Finished => OnRollback::Refuse(Refusal::Finished),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preparing => "preparing",
            Self::HandingOver => "handing over",
            Self::Committed => "committed",
            Self::Deleting => "deleting",
            Self::Resuming => "resuming",
            Self::Leaving => "leaving",
            Self::Left => "left",
            Self::Returning => "returning",
            Self::Undoing => "undoing",
            Self::Finished => "finished",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_steps_of_the_diagram_are_legal() {
        let legal: Vec<(Phase, Step, Phase)> = Phase::ALL
            .into_iter()
            .flat_map(|phase| Step::ALL.map(|step| (phase, step)))
            .filter_map(|(phase, step)| Some((phase, step, phase.after(step).ok()?)))
            .collect();
        assert_eq!(
            legal,
            [
                (Phase::Preparing, Step::CopiesVerified, Phase::HandingOver),
                (Phase::Preparing, Step::RollbackStarted, Phase::Undoing),
                (Phase::HandingOver, Step::CopiesHandedOver, Phase::Deleting),
                (Phase::HandingOver, Step::SourceKept, Phase::Leaving),
                (Phase::HandingOver, Step::RollbackStarted, Phase::Undoing),
                (Phase::Committed, Step::CopiesHandedOver, Phase::Deleting),
                (Phase::Deleting, Step::SourceDeleted, Phase::Resuming),
                (Phase::Resuming, Step::Resumed, Phase::Finished),
                (Phase::Leaving, Step::Resumed, Phase::Left),
                (Phase::Leaving, Step::ReturnStarted, Phase::Returning),
                (Phase::Left, Step::DeletionStarted, Phase::Deleting),
                (Phase::Left, Step::ReturnStarted, Phase::Returning),
                (Phase::Returning, Step::ReturnStarted, Phase::Returning),
                (Phase::Returning, Step::ReturnRefused, Phase::Leaving),
                (Phase::Returning, Step::RollbackStarted, Phase::Undoing),
                (Phase::Undoing, Step::RollbackStarted, Phase::Undoing),
                (Phase::Undoing, Step::RolledBack, Phase::Finished),
            ]
        );
    }

    #[test]
    fn no_path_leads_from_a_rollback_to_a_commit_or_from_a_commit_to_a_rollback() {
        for (from, never) in [(Phase::Undoing, Phase::Deleting), (Phase::Deleting, Phase::Undoing)]
        {
            let mut reached = vec![from];
            let mut next = 0;
            while let Some(&phase) = reached.get(next) {
                assert_ne!(phase, never, "reached from {from}");
                for after in Step::ALL.into_iter().filter_map(|step| phase.after(step).ok()) {
                    if !reached.contains(&after) {
                        reached.push(after);
                    }
                }
                next += 1;
            }
        }
    }

    #[test]
    fn in_every_phase_one_of_resume_and_rollback_continues_the_run() {
        for phase in Phase::ALL {
            let resumes = !matches!(phase.on_resume(), OnResume::Refuse(_));
            let rolls_back = !matches!(phase.on_rollback(), OnRollback::Refuse(_));
            assert!(resumes || rolls_back, "{phase}");
            assert_eq!(rolls_back, phase.can_roll_back(), "{phase}");
            assert!(!(rolls_back && phase.is_committed()), "{phase}");
        }
    }

    #[test]
    fn a_batch_starts_only_when_the_one_before_is_over() {
        for phase in Phase::ALL {
            let next = phase.next_batch().ok();
            assert_eq!(next, (phase == Phase::Finished).then_some(Phase::Preparing), "{phase}");
        }
    }

    #[test]
    fn older_records_keep_their_meaning() {
        let read =
            |text: &str| serde_json::from_str::<Phase>(text).expect("a phase of an older record");
        assert_eq!(read("\"preparing\"").on_rollback(), OnRollback::Start);
        let committed = read("\"committed\"");
        assert_eq!(committed.on_resume(), OnResume::HandOver);
        assert_eq!(committed.on_rollback(), OnRollback::Refuse(Refusal::Committed));
        assert_eq!(read("\"deleting\"").on_resume(), OnResume::Delete);
        assert_eq!(read("\"resuming\"").on_resume(), OnResume::ResumeClusters);
        assert_eq!(read("\"finished\"").on_resume(), OnResume::RemoveRecords);
        for phase in Phase::ALL {
            let text = serde_json::to_string(&phase).expect("a name");
            assert_eq!(read(&text), phase);
        }
        let written = serde_json::to_string(&Phase::HandingOver).expect("a name");
        assert_eq!(written, "\"handingOver\"");
    }
}
