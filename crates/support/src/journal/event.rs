//! The events of a run and their way to displays and journals.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One thing that happened during a run, for progress displays and logs.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A phase or step has begun.
    Started {
        /// The stable name, for example `copy`.
        name: &'static str,
        /// Short imperative title, for example `Create objects in the target`.
        title: String,
    },
    /// Progress of the current phase.
    Progress {
        /// Units done so far.
        done: usize,
        /// Units in total.
        total: usize,
    },
    /// Work or wait of the current phase now; replaces the previous one.
    Doing(String),
    /// The current phase has ended well.
    Finished {
        /// One line of result, for example `29 objects`.
        summary: String,
    },
    /// The current phase has failed; the error itself is returned to the caller.
    Failed,
    /// Worth telling the user, without being an error.
    Note(String),
    /// Something the user should look at, although the run continues.
    Warning(String),
    /// An entry of the journal of the run; nothing to show.
    Record(RunEvent),
}

/// An event of a run, as its journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum RunEvent {
    /// A run has taken the lock, a new one or one that was interrupted; `status` shows it under
    /// this id. `source` and `target` are URLs or directories.
    Begun {
        /// Id of the run.
        run: String,
        /// `move`, `backup`, `restore` or `rollback`.
        operation: String,
        /// Origin of the objects: URL or directory.
        source: String,
        /// Destination of the objects: URL or directory.
        target: String,
    },
    /// The next batch of a run begins: its number, and the number of all; there is none for the
    /// first.
    BatchStarted {
        /// Number of the batch, from 1.
        batch: usize,
        /// Number of all batches.
        batches: usize,
    },
    /// A phase has begun.
    PhaseStarted {
        /// The name, as in the report.
        phase: String,
    },
    /// Progress of the phase.
    Progress {
        /// Units done so far.
        done: usize,
        /// Units in total.
        total: usize,
    },
    /// A phase has ended.
    PhaseEnded {
        /// The name.
        phase: String,
        /// True if it did not reach its end.
        failed: bool,
    },
    /// The backup before a move is complete.
    BackedUp {
        /// The directory.
        directory: String,
    },
    /// The run has ended, with the `outcome` of the report; `error` is absent when it has
    /// succeeded.
    Ended {
        /// As in the report.
        outcome: String,
        /// The error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

/// The one of several concurrent things that an event is about: a step of `create`, or none where
/// one thing follows another. In each lane phases follow and contain each other, but never overlap.
pub type Lane = Option<&'static str>;

/// Receives the events of a run. Cheap to clone; calls must not block.
#[derive(Clone)]
pub struct Events {
    sink: Arc<dyn Fn(Lane, Event) + Send + Sync>,
    lane: Lane,
}

impl Events {
    /// Sends every event to `sink`.
    pub fn to(sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self::by_lane(move |_, event| sink(event))
    }

    /// Sends every event to `sink`, with its lane.
    pub fn by_lane(sink: impl Fn(Lane, Event) + Send + Sync + 'static) -> Self {
        Self { sink: Arc::new(sink), lane: None }
    }

    /// The same receiver for what runs beside other things.
    #[must_use]
    pub fn beside_others(&self, lane: &'static str) -> Self {
        Self { sink: Arc::clone(&self.sink), lane: Some(lane) }
    }

    /// Sends every event to both.
    #[must_use]
    pub fn and(self, also: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let (sink, lane) = (self.sink, self.lane);
        let both = Self::by_lane(move |lane, event| {
            also(&event);
            sink(lane, event);
        });
        Self { lane, ..both }
    }

    /// Drops every event.
    pub fn none() -> Self {
        Self::to(|_| {})
    }

    /// Sends one event.
    pub fn send(&self, event: Event) {
        (self.sink)(self.lane, event);
    }

    /// Announces the beginning of a phase or step.
    pub fn started(&self, name: &'static str, title: impl Into<String>) {
        self.send(Event::Started { name, title: title.into() });
    }

    /// Says what is being done or waited for.
    pub fn doing(&self, what: impl Into<String>) {
        self.send(Event::Doing(what.into()));
    }

    /// Reports progress within the current phase.
    pub fn progress(&self, done: usize, total: usize) {
        self.send(Event::Progress { done, total });
    }

    /// Announces the good end of a phase or step.
    pub fn finished(&self, summary: impl Into<String>) {
        self.send(Event::Finished { summary: summary.into() });
    }

    /// Tells the journal something.
    pub fn record(&self, event: RunEvent) {
        self.send(Event::Record(event));
    }

    /// Tells the user something.
    pub fn note(&self, text: impl Into<String>) {
        self.send(Event::Note(text.into()));
    }

    /// Warns the user of something.
    pub fn warning(&self, text: impl Into<String>) {
        self.send(Event::Warning(text.into()));
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}
