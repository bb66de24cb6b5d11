//! Plain lines: for logs and for CI.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use support::journal::{Event, Lane};

use super::open::{Ended, Open};
use super::{detail, seconds};

/// Interval between two lines about the same wait.
const WAIT_LINE_INTERVAL: Duration = Duration::from_secs(10);

/// One line for each phase and each note; the latest wait at most every ten seconds.
#[derive(Default)]
pub(super) struct Lines {
    open: Open,
    reported: BTreeMap<Lane, Instant>,
}

impl Lines {
    /// The line of an event, if it is to be shown.
    pub(super) fn line(&mut self, lane: Lane, event: Event) -> Option<String> {
        match event {
            Event::Started { name, title } => {
                let line = format!("==> {title}");
                self.open.begin(lane, name, title);
                self.reported.remove(&lane);
                Some(line)
            }
            Event::Doing(what) => {
                if self.reported.get(&lane).is_some_and(|last| last.elapsed() <= WAIT_LINE_INTERVAL)
                {
                    return None;
                }
                self.reported.insert(lane, Instant::now());
                Some(self.within(lane, &what))
            }
            Event::Progress { .. } | Event::Record(_) => None,
            Event::Finished { summary } => {
                let ended = self.open.end(lane);
                let done = done(&ended);
                Some(format!("    {done}{}{}", seconds(ended.took), detail(&summary)))
            }
            Event::Failed => {
                let ended = self.open.end(lane);
                Some(format!("    failed{}: {}", seconds(ended.took), ended.title))
            }
            Event::Note(text) => Some(self.within(lane, &text)),
            Event::Warning(text) => Some(self.within(lane, &format!("warning: {text}"))),
        }
    }

    fn within(&self, lane: Lane, text: &str) -> String {
        match self.open.title_beside_others(lane) {
            Some(title) => format!("    {title}: {text}"),
            None => format!("    {text}"),
        }
    }
}

/// Formats the end of a step or phase, below the titles on the screen.
fn done(ended: &Ended) -> String {
    if ended.is_scrolled_away { format!("{}: done", ended.title) } else { "done".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_what_it_is_about() {
        let mut lines = Lines::default();
        let started = |title: &str| Event::Started { name: "name", title: title.to_owned() };
        let doing = |text: &str| Event::Doing(text.to_owned());
        let finished = |summary: &str| Event::Finished { summary: summary.to_owned() };
        let (nodes, target) = (Some("nodes"), Some("init-target"));
        let reported: Vec<String> = [
            (nodes, started("Wait for the nodes")),
            (nodes, doing("0 of 2")),
            (nodes, doing("1 of 2")),
            (target, started("Install providers")),
            (target, doing("Fetching")),
            (nodes, Event::Warning("slow".to_owned())),
            (nodes, finished("2 nodes")),
            (target, Event::Progress { done: 1, total: 2 }),
            (target, Event::Note("alone now".to_owned())),
            (target, Event::Failed),
            (None, started("Move")),
            (None, finished("")),
        ]
        .into_iter()
        .filter_map(|(lane, event)| lines.line(lane, event))
        .map(|line| line.replace(" (0.0 s)", ""))
        .collect();
        let expected = [
            "==> Wait for the nodes",
            "    0 of 2",
            "==> Install providers",
            "    Install providers: Fetching",
            "    Wait for the nodes: warning: slow",
            "    Wait for the nodes: done: 2 nodes",
            "    alone now",
            "    failed: Install providers",
            "==> Move",
            "    done",
        ];
        assert_eq!(reported, expected);
    }
}
