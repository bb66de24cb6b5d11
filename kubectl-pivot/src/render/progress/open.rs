//! Open steps and phases, for the three views of progress.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use support::journal::Lane;

/// Open steps and phases, in each lane the outermost first: a step of `create` may consist of
/// phases.
#[derive(Default)]
pub(super) struct Open {
    lanes: BTreeMap<Lane, Vec<Phase>>,
    /// Number of steps and phases that have started so far.
    begun: usize,
}

pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) since: Instant,
    number: usize,
}

/// A step or phase that has ended.
pub(super) struct Ended {
    pub(super) title: String,
    pub(super) took: Duration,
    /// True if others have started since, so that its title is not the last one on the screen.
    pub(super) is_scrolled_away: bool,
}

impl Open {
    pub(super) fn begin(&mut self, lane: Lane, name: &'static str, title: String) {
        self.begun += 1;
        let phase = Phase { name, title, since: Instant::now(), number: self.begun };
        self.lanes.entry(lane).or_default().push(phase);
    }

    /// Ends the step or phase that has started last in its lane.
    pub(super) fn end(&mut self, lane: Lane) -> Ended {
        let phases = self.lanes.entry(lane).or_default();
        let ended = phases.pop();
        if phases.is_empty() {
            self.lanes.remove(&lane);
        }
        match ended {
            None => Ended { title: String::new(), took: Duration::ZERO, is_scrolled_away: false },
            Some(phase) => Ended {
                took: phase.since.elapsed(),
                is_scrolled_away: phase.number != self.begun,
                title: phase.title,
            },
        }
    }

    /// The title of what a lane is about, if another lane runs beside it.
    pub(super) fn title_beside_others(&self, lane: Lane) -> Option<&str> {
        let phases = self.lanes.get(&lane).filter(|_| self.lanes.len() > 1)?;
        phases.first().map(|phase| phase.title.as_str())
    }

    /// Returns the depth of nested phases in a lane.
    pub(super) fn depth(&self, lane: Lane) -> usize {
        self.lanes.get(&lane).map_or(0, Vec::len)
    }

    /// Returns the innermost open step or phase of a lane.
    pub(super) fn innermost(&self, lane: Lane) -> Option<&Phase> {
        self.lanes.get(&lane)?.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(open: &mut Open, lane: Lane, title: &str) {
        open.begin(lane, "name", title.to_owned());
    }

    #[test]
    fn a_step_of_several_phases_ends_under_its_own_title() {
        let mut open = Open::default();
        begin(&mut open, Some("move"), "Move the cluster");
        for phase in ["Pause the source", "Resume reconciliation"] {
            begin(&mut open, Some("move"), phase);
            let ended = open.end(Some("move"));
            assert_eq!((ended.title.as_str(), ended.is_scrolled_away), (phase, false));
        }
        assert!(open.end(Some("move")).is_scrolled_away);
        assert_eq!(open.end(None).title, "");
    }

    #[test]
    fn a_step_that_runs_beside_others_is_named() {
        let mut open = Open::default();
        begin(&mut open, Some("nodes"), "Wait for the nodes");
        assert_eq!(open.title_beside_others(Some("nodes")), None);
        begin(&mut open, Some("init-target"), "Install providers");
        assert_eq!(open.title_beside_others(Some("nodes")), Some("Wait for the nodes"));
        assert_eq!(open.title_beside_others(None), None);
        assert!(open.end(Some("nodes")).is_scrolled_away);
        assert!(!open.end(Some("init-target")).is_scrolled_away);
    }
}
