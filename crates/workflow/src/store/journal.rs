//! The events of a run of `create` or `delete`. The journal that keeps them is that of
//! [`support::journal`].

use std::error::Error;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use support::journal::History;

use crate::order::Step;

/// One event and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub time: Timestamp,
    /// The event.
    pub what: JournalEvent,
}

/// All events of a run, the first one first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries(pub Vec<Entry>);

impl History for Entries {
    type Event = JournalEvent;

    fn after(
        mut self,
        time: Timestamp,
        what: JournalEvent,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        self.0.push(Entry { time, what });
        Ok(self)
    }
}

/// Events of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum JournalEvent {
    /// The run began, or began again.
    Began {
        /// Process id.
        pid: u32,
    },
    /// A step began.
    Started {
        /// The step.
        step: Step,
    },
    /// A step has ended well.
    Done {
        /// The step.
        step: Step,
        /// One line of result.
        summary: String,
    },
    /// A step has failed.
    Failed {
        /// The step.
        step: Step,
        /// The cause.
        error: String,
    },
    /// The run has ended well.
    Finished,
}
