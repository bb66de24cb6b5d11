//! Clusters and Helm releases that are active, after every write: never on both sides. And which
//! objects are being torn down: never while their Cluster is active.
//!
//! The proxies let one write to such an object through at a time and then look at it, so the
//! order of what they have seen is the order of what happened.

use std::collections::BTreeMap;

use super::call::Side;

/// An object on one side.
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

/// The states of all such objects on both sides, by their paths, and what was wrong with them on
/// the way.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    states: BTreeMap<String, [Activity; 2]>,
    /// By side and name, what is being torn down, with the path of its Cluster.
    torn_down: BTreeMap<(Side, String), String>,
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
        if state == Activity::Active {
            let victims = self.torn_down.iter().filter(|((at, _), of)| *at == side && **of == path);
            let victims: Vec<String> = victims.map(|((_, victim), _)| victim.clone()).collect();
            for victim in victims {
                self.violate_deletion(side, &victim, &path);
            }
        }
    }

    /// Notes that controllers tear an object down as soon as its Cluster is active, and what that
    /// is now.
    pub fn note_torn_down(&mut self, side: Side, victim: String, cluster: String, state: Activity) {
        if state == Activity::Active {
            self.violate_deletion(side, &victim, &cluster);
        }
        self.torn_down.insert((side, victim), cluster);
    }

    /// Notes that an object is no longer, or not, being torn down.
    pub fn note_spared(&mut self, side: Side, victim: &str) {
        self.torn_down.remove(&(side, victim.to_owned()));
    }

    /// Notes that a copy was created which a controller may act upon.
    pub fn note_born_active(&mut self, side: Side, copy: &str) {
        let event = self.events;
        self.violations.push(format!("{copy} is not inert in the {side:?} after event {event}"));
    }

    /// Notes that a controller which may ignore pauses has seen the deletion of an object.
    pub fn note_deletion_shown(&mut self, side: Side, victim: &str) {
        let event = self.events;
        self.violations.push(format!(
            "a silent controller in the {side:?} sees the deletion of {victim} after event {event}"
        ));
    }

    fn violate_deletion(&mut self, side: Side, victim: &str, cluster: &str) {
        let event = self.events;
        self.violations.push(format!(
            "{victim} is being torn down in the {side:?} after event {event}: {cluster} is active"
        ));
    }

    /// The number of states that were noted.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Instants at which an object was active on both sides, or was torn down below an active
    /// Cluster.
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

    #[test]
    fn a_deletion_below_an_active_cluster_is_a_violation() {
        let (machine, cluster) = (|| "n/m".to_owned(), || "n/c".to_owned());
        let mut timeline = Timeline::default();
        timeline.note(Side::Source, cluster(), Activity::Paused);
        timeline.note_torn_down(Side::Source, machine(), cluster(), Activity::Paused);
        timeline.note(Side::Target, cluster(), Activity::Active);
        assert!(timeline.violations().is_empty());
        let mut spared = timeline.clone();
        spared.note(Side::Target, cluster(), Activity::Paused);
        spared.note_spared(Side::Source, "n/m");
        spared.note(Side::Source, cluster(), Activity::Active);
        assert!(spared.violations().is_empty());
        timeline.note(Side::Target, cluster(), Activity::Paused);
        timeline.note(Side::Source, cluster(), Activity::Active);
        assert_eq!(timeline.violations().len(), 1);
        timeline.note_torn_down(Side::Source, "n/m2".to_owned(), cluster(), Activity::Active);
        assert_eq!(timeline.violations().len(), 2);
    }
}
