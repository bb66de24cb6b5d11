//! The writes of a run, and the phases that allow them.

use crate::Phase;

/// A kind of write of a run to one of the two clusters. The writes to its own Leases are not among
/// them: the resource version that was read guards those in every phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Write {
    /// Source: the pause of a Cluster or an object, with the mark of the run.
    PauseSource,
    /// Target: a copy, or a namespace for copies.
    CreateCopy,
    /// Target: the immutable ConfigMaps with the uids of all copies.
    RecordUids,
    /// Both: the epoch of a take-over, on every object that an older runner may still write to.
    RaiseEpoch,
    /// Target: field ownership and finalizers of the source.
    HandOver,
    /// Source: the deletion of an object, and the removal of its finalizers.
    DeleteSource,
    /// Target: the pause state that a Cluster had.
    ResumeTarget,
    /// Target: the pause of a copy that works already, before a rollback of a replacement.
    PauseTarget,
    /// Source: the pause state that an object had: of everything in a rollback, of what stays after
    /// a move.
    ResumeSource,
    /// Target: the deletion of a copy, and the removal of its finalizers.
    DeleteCopy,
    /// Both: the leader-election Leases of providers, held while the run needs their controllers
    /// still.
    HoldControllers,
}

impl Write {
    /// All writes.
    pub const ALL: [Self; 11] = [
        Self::PauseSource,
        Self::CreateCopy,
        Self::RecordUids,
        Self::RaiseEpoch,
        Self::HandOver,
        Self::DeleteSource,
        Self::ResumeTarget,
        Self::PauseTarget,
        Self::ResumeSource,
        Self::DeleteCopy,
        Self::HoldControllers,
    ];
}

impl Phase {
    /// Returns whether a run in this phase may send such a write.
    ///
    /// A run pauses the source again while it deletes: another writer may have removed the pause,
    /// and after the commit there is no other way on than to pause, look again and delete.
    pub fn allows(self, write: Write) -> bool {
        match write {
            Write::PauseSource => {
                matches!(
                    self,
                    Self::Preparing | Self::HandingOver | Self::Committed | Self::Deleting
                )
            }
            Write::CreateCopy | Write::RecordUids => self == Self::Preparing,
            Write::HandOver => matches!(self, Self::HandingOver | Self::Committed),
            Write::DeleteSource => self == Self::Deleting,
            Write::ResumeTarget => matches!(self, Self::Resuming | Self::Leaving),
            Write::PauseTarget => self == Self::Returning,
            // Objects that were copied and kept for others stay active in the source.
            Write::ResumeSource => matches!(self, Self::Resuming | Self::Leaving | Self::Undoing),
            Write::DeleteCopy => self == Self::Undoing,
            Write::RaiseEpoch | Write::HoldControllers => self != Self::Finished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_in_the_source_needs_the_commit_and_one_in_the_target_a_rollback() {
        for phase in Phase::ALL {
            assert!(!phase.allows(Write::DeleteSource) || phase.is_committed(), "{phase}");
            assert!(!phase.allows(Write::DeleteCopy) || phase == Phase::Undoing, "{phase}");
        }
    }

    #[test]
    fn nothing_is_resumed_in_a_phase_that_may_still_delete_on_the_other_side() {
        for phase in Phase::ALL {
            let deletes = phase.allows(Write::DeleteSource);
            assert!(!(deletes && phase.allows(Write::ResumeTarget)), "{phase}");
            assert!(!(deletes && phase.allows(Write::ResumeSource)), "{phase}");
        }
    }

    #[test]
    fn only_a_rollback_may_resume_all_of_a_source_that_was_left() {
        for phase in Phase::ALL.into_iter().filter(|phase| phase.is_left()) {
            assert!(!phase.allows(Write::DeleteSource) && !phase.allows(Write::DeleteCopy));
            assert!(!(phase.allows(Write::PauseTarget) && phase.allows(Write::ResumeTarget)));
            assert!(!phase.is_committed(), "objects of the source are not gone: {phase}");
        }
        let rests = Write::ALL.into_iter().filter(|write| Phase::Left.allows(*write));
        assert_eq!(rests.collect::<Vec<_>>(), [Write::RaiseEpoch, Write::HoldControllers]);
    }

    #[test]
    fn a_finished_run_writes_nothing_and_every_write_has_a_phase() {
        for write in Write::ALL {
            assert!(!Phase::Finished.allows(write), "{write:?}");
            assert!(Phase::ALL.into_iter().any(|phase| phase.allows(write)), "{write:?}");
        }
    }
}
