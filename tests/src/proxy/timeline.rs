//! Which Clusters are active where, after every write: never on both sides.
//!
//! The proxies let one write to a Cluster through at a time and then look at the Cluster, so the
//! order of what they have seen is the order of what happened.

use std::collections::BTreeMap;

use super::call::Side;

/// What a Cluster is on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClusterState {
    /// It is not there.
    #[default]
    Absent,
    /// It is there and its controllers leave it alone.
    Paused,
    /// It is there and is reconciled.
    Active,
}

/// The states of all Clusters on both sides, and what was wrong with them on the way.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    states: BTreeMap<(String, String), [ClusterState; 2]>,
    events: usize,
    violations: Vec<String>,
}

impl Timeline {
    /// Notes the state of a Cluster.
    pub fn note(&mut self, side: Side, (namespace, name): (String, String), state: ClusterState) {
        let place = format!("{namespace}/{name}");
        let both = self.states.entry((namespace, name)).or_default();
        both[side as usize] = state;
        self.events += 1;
        if *both == [ClusterState::Active; 2] {
            let event = self.events;
            self.violations.push(format!("Cluster {place} is active twice after event {event}"));
        }
    }

    /// The number of states that were noted.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Instants at which a Cluster was active on both sides.
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
        let cluster = || ("n".to_owned(), "c".to_owned());
        timeline.note(Side::Source, cluster(), ClusterState::Active);
        timeline.note(Side::Target, cluster(), ClusterState::Paused);
        assert!(timeline.violations().is_empty());
        timeline.note(Side::Target, cluster(), ClusterState::Active);
        assert_eq!(timeline.violations().len(), 1);
        assert_eq!(timeline.events(), 3);
    }
}
