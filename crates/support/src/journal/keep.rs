//! Keeping the journal of a run from the events that are sent anyway.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::event::{Event, Events, RunEvent};
use super::state::RunState;
use super::store::{JournalError, Store};

/// Progress is written at most so often.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// States of the journal.
enum Journal {
    /// Not yet: no run has begun.
    Waiting,
    /// It is.
    Open(Box<Store<RunState>>, Option<Instant>),
    /// No more: it could not be written.
    Off,
}

/// Sends the events on, and keeps the journal of the run that begins among them in a folder. What
/// goes wrong with the journal is reported once, as a warning; the run does not notice.
pub fn keep(events: Events, folder: PathBuf) -> Events {
    let journal = Mutex::new(Journal::Waiting);
    let warnings = events.clone();
    events.and(move |event| {
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = note(&mut journal, &folder, event) {
            *journal = Journal::Off;
            warnings.warning(format!("continuing without a journal of this run: {error}"));
        }
    })
}

fn note(
    journal: &mut Journal,
    folder: &std::path::Path,
    event: &Event,
) -> Result<(), JournalError> {
    if let (Journal::Waiting, Event::Record(RunEvent::Begun { run, .. })) = (&*journal, event) {
        *journal = Journal::Open(Box::new(Store::open(folder, run)?), None);
    }
    let Journal::Open(store, last) = journal else { return Ok(()) };
    match event {
        Event::Record(event) => {
            *last = None;
            store.append(event.clone(), true)
        }
        Event::Progress { done, total } if store.state().is_in_a_phase() => {
            let is_due =
                last.is_none_or(|last| last.elapsed() >= PROGRESS_INTERVAL) || done == total;
            if !is_due {
                return Ok(());
            }
            *last = Some(Instant::now());
            store.append(RunEvent::Progress { done: *done, total: *total }, false)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::journal::store::read;

    fn begun() -> RunEvent {
        let text = |text: &str| text.to_owned();
        let (operation, source, target) = (text("move"), text("s"), text("t"));
        RunEvent::Begun { run: text("r"), operation, source, target }
    }

    #[test]
    fn only_what_belongs_to_a_run_is_kept() {
        let home = tempfile::tempdir().expect("a folder");
        let events = keep(Events::none(), home.path().to_owned());
        events.progress(1, 2);
        events.record(begun());
        events.progress(1, 2);
        events.record(RunEvent::PhaseStarted { phase: "copy".to_owned() });
        events.progress(2, 2);
        let replay = read(home.path(), "r").expect("readable").expect("there");
        assert_eq!(replay.state.progress.map(|progress| progress.done), Some(2));
    }

    #[test]
    fn a_journal_that_cannot_be_written_is_reported_once() {
        let home = tempfile::tempdir().expect("a folder");
        let blocked = home.path().join("a-file");
        std::fs::write(&blocked, "").expect("written");
        let warned = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&warned);
        let events = Events::to(move |event| {
            if let Event::Warning(_) = event {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let events = keep(events, blocked.join("runs"));
        for _ in 0..3 {
            events.record(begun());
        }
        assert_eq!(warned.load(Ordering::Relaxed), 1);
    }
}
