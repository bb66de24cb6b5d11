//! Plain lines: for logs and for CI.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::open::{Ended, Open};
use super::{detail, line, seconds};
use crate::journal::{Event, Lane};

/// How often what is waited for is told.
const INTERVAL: Duration = Duration::from_secs(10);

/// One line for each phase and each note; the latest wait at most every ten seconds.
#[derive(Default)]
pub(super) struct Lines {
    open: Open,
    told: BTreeMap<Lane, Instant>,
}

impl Lines {
    pub(super) fn show(&mut self, lane: Lane, event: Event) {
        match event {
            Event::Started { name, title } => {
                line(&format!("==> {title}"));
                self.open.begin(lane, name, title);
                self.told.remove(&lane);
            }
            Event::Doing(what) => {
                if self.told.get(&lane).is_none_or(|last| last.elapsed() > INTERVAL) {
                    self.told.insert(lane, Instant::now());
                    self.within(lane, &what);
                }
            }
            Event::Progress { .. } | Event::Record(_) => {}
            Event::Finished { summary } => {
                let ended = self.open.end(lane);
                let done = done(&ended);
                line(&format!("    {done}{}{}", seconds(ended.took), detail(&summary)));
            }
            Event::Failed => {
                let ended = self.open.end(lane);
                line(&format!("    failed{}: {}", seconds(ended.took), ended.title));
            }
            Event::Note(text) => self.within(lane, &text),
            Event::Warning(text) => self.within(lane, &format!("warning: {text}")),
        }
    }

    fn within(&self, lane: Lane, text: &str) {
        match self.open.title_beside_others(lane) {
            Some(title) => line(&format!("    {title}: {text}")),
            None => line(&format!("    {text}")),
        }
    }
}

/// How the end of something is told below the titles that were shown.
fn done(ended: &Ended) -> String {
    if ended.is_scrolled_away { format!("{}: done", ended.title) } else { "done".to_owned() }
}
