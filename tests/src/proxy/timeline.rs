//! Which Clusters and Helm releases are active where, after every write: never on both sides.
//!
//! The proxies let one write to such an object through at a time and then look at it, so the
//! order of what they have seen is the order of what happened.

use std::collections::BTreeMap;

use super::call::Side;

/// What an object is on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activity {
    /// It is not there.
    #[default]
    Absent,
    /// It is there and its controllers leave it alone.
    Paused,
    /// It is there and is reconciled.
    Active,
}

/// The states of all such objects on both sides, by their paths, and what was wrong with them on the way.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    states: BTreeMap<String, [Activity; 2]>,
    events: usize,
    violations: Vec<String>,
}

impl Timeline {
    /// Notes the state of an object.
    pub fn note(&mut self, side: Side, path: String, state: Activity) {
        let both = self.states.entry(path.clone()).or_default();
        both[side as usize] = state;
        self.events += 1;
        if *both == [Activity::Active; 2] {
            let event = self.events;
            self.violations.push(format!("{path} is active twice after event {event}"));
        }
    }

    /// The number of states that were noted.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Instants at which an object was active on both sides.
    pub fn violations(&self) -> &[String] {
        &self.violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_active_sides_are_a_violation() {
        let mut timeline = Timeline::default();
        let cluster = || "n/c".to_owned();
        timeline.note(Side::Source, cluster(), Activity::Active);
        timeline.note(Side::Target, cluster(), Activity::Paused);
        assert!(timeline.violations().is_empty());
        timeline.note(Side::Target, cluster(), Activity::Active);
        assert_eq!(timeline.violations().len(), 1);
        assert_eq!(timeline.events(), 3);
    }
}
