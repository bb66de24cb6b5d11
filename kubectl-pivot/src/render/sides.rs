//! The Clusters of a run for people: one line for each, or a few and a count.

use std::fmt::Write;

use transfer::{BatchCourse, BatchState, Batches, ClusterState, Record};

use super::kubectl_table::align;
use crate::called;

/// Clusters shown one by one; the rest is counted.
const SHOWN: usize = 10;

/// The Clusters as a table, those that were paused longest first. With `every`, all of them.
pub fn cluster_states(states: &[ClusterState], every: bool) -> String {
    if states.is_empty() {
        return String::new();
    }
    let mut sorted: Vec<&ClusterState> = states.iter().collect();
    sorted.sort_by(|a, b| {
        let key = |state: &ClusterState| state.paused_seconds.unwrap_or_default();
        (b.paused, key(b)).partial_cmp(&(a.paused, key(a))).unwrap_or(std::cmp::Ordering::Equal)
    });
    let shown = if every { sorted.len() } else { SHOWN };
    let mut lines = vec![["CLUSTER", "SIDE", "PAUSED"].map(str::to_owned).to_vec()];
    lines.extend(sorted.iter().take(shown).map(|state| line(state)));
    let mut text = align(&lines);
    if let Some(others) = states.len().checked_sub(shown).filter(|others| *others > 0) {
        let _ = writeln!(text, "… and {others} more (all of them with -o json)");
    }
    text
}

/// Says how many batches are in which state.
pub fn batch_states(batches: &[BatchState]) -> String {
    let of = |course: BatchCourse| batches.iter().filter(move |batch| batch.state == course);
    let named = [
        (BatchCourse::Moved, "moved"),
        (BatchCourse::InFlight, "in flight"),
        (BatchCourse::RolledBack, "rolled back"),
        (BatchCourse::ToCome, "to come"),
    ];
    let named = named.into_iter().filter(|(course, _)| of(*course).next().is_some());
    let named = named.map(|(course, word)| {
        let clusters: usize = of(course).map(|batch| batch.clusters.len()).sum();
        format!("{} {word} ({clusters} Clusters)", of(course).count())
    });
    named.collect::<Vec<_>>().join(", ")
}

/// Says which Clusters have moved in earlier batches of a run that was rolled back.
pub fn moved_before(record: &Record) -> Option<String> {
    let moved: Vec<String> = record
        .batches
        .iter()
        .flat_map(Batches::moved)
        .map(|(namespace, name)| format!("{namespace}/{name}"))
        .collect();
    if moved.is_empty() {
        return None;
    }
    let named = moved.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = match moved.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} others"),
    };
    Some(called::in_text(&format!(
        "{} Clusters of earlier batches stay in the target: {named}{more}\n\
         A move in the other direction brings them back: kubectl pivot move --cluster NAME",
        moved.len()
    )))
}

fn line(state: &ClusterState) -> Vec<String> {
    let paused = match (state.paused, state.paused_seconds) {
        (true, Some(seconds)) => format!("{seconds:.1} s, still paused"),
        (true, None) => "still paused".to_owned(),
        (false, Some(seconds)) => format!("{seconds:.1} s"),
        (false, None) => "-".to_owned(),
    };
    vec![format!("{}/{}", state.namespace, state.name), state.side.to_string(), paused]
}

#[cfg(test)]
mod tests {
    use super::*;
    use transfer::Role;

    fn state(name: &str, side: Role, paused: bool, paused_seconds: Option<f64>) -> ClusterState {
        let (namespace, name) = ("n".to_owned(), name.to_owned());
        ClusterState { namespace, name, side, paused, paused_seconds }
    }

    #[test]
    fn those_that_are_still_paused_and_those_that_were_longest_come_first() {
        let states = [
            state("quick", Role::Target, false, Some(1.04)),
            state("slow", Role::Target, false, Some(12.0)),
            state("left", Role::Source, true, None),
            state("untouched", Role::Source, false, None),
        ];
        let expected = "CLUSTER       SIDE     PAUSED
n/left        source   still paused
n/slow        target   12.0 s
n/quick       target   1.0 s
n/untouched   source   -
";
        assert_eq!(cluster_states(&states, false), expected);
        assert_eq!(cluster_states(&[], false), "");
    }

    #[test]
    fn of_many_a_few_are_shown() {
        let states: Vec<_> =
            (0..25).map(|n| state(&format!("c{n}"), Role::Target, false, Some(1.0))).collect();
        let short = cluster_states(&states, false);
        assert_eq!(short.lines().count(), SHOWN + 2, "{short}");
        assert!(short.ends_with("… and 15 more (all of them with -o json)\n"), "{short}");
        assert_eq!(cluster_states(&states, true).lines().count(), 26);
    }
}
