//! Checks what the journal of a run has kept against the phase machine.

use crate::{Phase, Step};

/// An event of the journal of a move. Other events say nothing about the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalEvent<'a> {
    /// The next batch of the run starts, or is about to.
    BatchStarted,
    /// Work on the run has started, under the name that the report uses: `copy`, `delete`, …
    Started(&'a str),
    /// That work has ended.
    Ended {
        /// The name.
        name: &'a str,
        /// True if it did not reach its end.
        has_failed: bool,
    },
}

/// A journal that no run under the phase machine can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IllegalJournal {
    /// The work belongs to another phase.
    #[error("{name} does not belong to a run that is {}", either(possible))]
    WrongPhase {
        /// The name of the work.
        name: String,
        /// The phases that the run may have been in.
        possible: Vec<Phase>,
    },
    /// No work of a move has this name.
    #[error("no work of a move is called {name:?}")]
    Unknown {
        /// The name.
        name: String,
    },
}

/// Replays the journal of a move and returns the phases that its run may be in.
///
/// A journal does not keep when the record was written, so after work that ends with a step the run
/// may be in the phase before or after it: its process may have been killed in between.
///
/// # Errors
/// [`IllegalJournal`] at the first event that the phase machine does not allow.
pub fn replay<'a>(
    events: impl IntoIterator<Item = JournalEvent<'a>>,
) -> Result<Vec<Phase>, IllegalJournal> {
    let mut possible = vec![Phase::Preparing];
    for event in events {
        let (JournalEvent::Started(name) | JournalEvent::Ended { name, .. }) = event else {
            let next = possible.iter().find_map(|phase| phase.next_batch().ok());
            let Some(next) = next else {
                return Err(IllegalJournal::WrongPhase {
                    name: "the next batch".to_owned(),
                    possible,
                });
            };
            // A process that takes over before the record is written finds the batch before
            // finished.
            possible = vec![Phase::Finished, next];
            continue;
        };
        let Some((phases, steps)) = work(name) else {
            return Err(IllegalJournal::Unknown { name: name.to_owned() });
        };
        let before = possible.clone();
        // These begin by a step that nothing else announces.
        if matches!(event, JournalEvent::Started(_)) {
            let begun = begins_by(name)
                .iter()
                .flat_map(|step| before.iter().filter_map(|phase| phase.after(*step).ok()));
            possible.extend(begun);
            possible.dedup();
        }
        if name == "undo" {
            possible.retain(|phase| *phase == Phase::Undoing);
        }
        possible.retain(|phase| phases.contains(phase));
        if possible.is_empty() {
            return Err(IllegalJournal::WrongPhase { name: name.to_owned(), possible: before });
        }
        if matches!(event, JournalEvent::Ended { has_failed: false, .. }) {
            let next = steps
                .iter()
                .filter_map(|step| possible.iter().find_map(|phase| phase.after(*step).ok()));
            possible.extend(next.collect::<Vec<_>>());
        }
    }
    Ok(possible)
}

/// Returns the steps by which work may begin, beside those that end the work before.
fn begins_by(name: &str) -> &'static [Step] {
    match name {
        "undo" => &[Step::RollbackStarted],
        "delete" => &[Step::DeletionStarted],
        "return" => &[Step::ReturnStarted],
        "resume" => &[Step::ReturnRefused],
        _ => &[],
    }
}

/// Returns the phases to which work belongs, and the steps of which its end allows one.
fn work(name: &str) -> Option<(&'static [Phase], &'static [Step])> {
    Some(match name {
        "pause" | "quiesce" | "backup" | "copy" => (&[Phase::Preparing], &[]),
        "verify" => (&[Phase::Preparing, Phase::HandingOver], &[Step::CopiesVerified]),
        "handOver" => {
            (&[Phase::HandingOver, Phase::Committed], &[Step::CopiesHandedOver, Step::SourceKept])
        }
        "delete" => (&[Phase::Deleting], &[Step::SourceDeleted]),
        "resume" => (&[Phase::Resuming, Phase::Leaving], &[Step::Resumed]),
        "return" => (&[Phase::Returning], &[]),
        "undo" => (&[Phase::Undoing], &[Step::RolledBack]),
        _ => return None,
    })
}

fn either(phases: &[Phase]) -> String {
    phases.iter().map(Phase::to_string).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(names: &[&'static str]) -> Vec<JournalEvent<'static>> {
        let events =
            |name| [JournalEvent::Started(name), JournalEvent::Ended { name, has_failed: false }];
        names.iter().flat_map(|name| events(name)).collect()
    }

    fn failed(name: &'static str) -> Vec<JournalEvent<'static>> {
        vec![JournalEvent::Started(name), JournalEvent::Ended { name, has_failed: true }]
    }

    const PREPARED: [&str; 4] = ["pause", "quiesce", "copy", "verify"];

    #[test]
    fn a_move_a_resumed_move_and_a_rollback_are_legal() {
        let moved = [done(&PREPARED), done(&["handOver", "delete", "resume"])].concat();
        assert_eq!(replay(moved), Ok(vec![Phase::Resuming, Phase::Finished]));
        let killed = [done(&PREPARED), done(&["handOver"]), vec![JournalEvent::Started("delete")]];
        let resumed = [killed.concat(), done(&["delete", "resume"])].concat();
        assert_eq!(replay(resumed), Ok(vec![Phase::Resuming, Phase::Finished]));
        let again =
            [done(&["pause"]), failed("copy"), done(&PREPARED), failed("handOver")].concat();
        assert_eq!(replay(again.clone()), Ok(vec![Phase::HandingOver]));
        let undone = [again, done(&["undo"])].concat();
        assert_eq!(replay(undone), Ok(vec![Phase::Undoing, Phase::Finished]));
    }

    #[test]
    fn a_batch_follows_one_that_is_over() {
        let one = || [done(&PREPARED), done(&["handOver", "delete", "resume"])].concat();
        let two = [one(), vec![JournalEvent::BatchStarted], one()].concat();
        assert_eq!(replay(two), Ok(vec![Phase::Resuming, Phase::Finished]));
        let begun = [one(), vec![JournalEvent::BatchStarted; 2]].concat();
        assert_eq!(replay(begun), Ok(vec![Phase::Finished, Phase::Preparing]));
        for illegal in [
            [one(), one()].concat(),
            [done(&PREPARED), done(&["handOver", "delete"]), vec![JournalEvent::BatchStarted]]
                .concat(),
        ] {
            assert!(matches!(replay(illegal), Err(IllegalJournal::WrongPhase { .. })));
        }
    }

    #[test]
    fn a_replacement_rests_and_is_deleted_or_undone() {
        let left = [done(&PREPARED), done(&["handOver", "resume"])].concat();
        assert_eq!(replay(left.clone()), Ok(vec![Phase::Leaving, Phase::Left]));
        let deleted = [left.clone(), done(&["delete", "resume"])].concat();
        assert_eq!(replay(deleted), Ok(vec![Phase::Resuming, Phase::Finished]));
        let refused = [left.clone(), failed("return"), done(&["resume"])].concat();
        assert_eq!(replay(refused.clone()), Ok(vec![Phase::Leaving, Phase::Left]));
        let undone = [refused, done(&["return", "undo"])].concat();
        assert_eq!(replay(undone), Ok(vec![Phase::Undoing, Phase::Finished]));
        for illegal in [
            [left.clone(), done(&["return", "delete"])].concat(),
            [left, done(&["undo"])].concat(),
            [done(&PREPARED), done(&["return"])].concat(),
        ] {
            assert!(matches!(replay(illegal), Err(IllegalJournal::WrongPhase { .. })));
        }
    }

    #[test]
    fn after_verified_copies_a_killed_run_may_be_in_either_phase() {
        assert_eq!(replay(done(&PREPARED)), Ok(vec![Phase::Preparing, Phase::HandingOver]));
    }

    #[test]
    fn an_event_that_the_machine_does_not_allow_is_reported() {
        let turned_round = [done(&["pause", "copy"]), failed("undo"), done(&["copy"])].concat();
        assert_eq!(
            replay(turned_round).map_err(|error| error.to_string()),
            Err("copy does not belong to a run that is undoing".to_owned())
        );
        for illegal in [
            [done(&["pause", "copy"]), done(&["delete"])].concat(),
            [done(&PREPARED), done(&["handOver", "delete"]), failed("undo")].concat(),
            [failed("verify"), done(&["handOver"])].concat(),
        ] {
            let error = replay(illegal).expect_err("illegal");
            assert!(matches!(error, IllegalJournal::WrongPhase { .. }), "{error}");
        }
        let unknown = replay(done(&["dance"])).expect_err("unknown");
        assert_eq!(unknown.to_string(), "no work of a move is called \"dance\"");
    }
}
