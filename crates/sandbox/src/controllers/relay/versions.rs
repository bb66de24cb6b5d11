//! Resource versions mean nothing in another cluster: telling those that come from the one before.
//!
//! A watch that continues in another cluster at a version of the first would wait for ever, or miss
//! what is there. Answered with 410 Gone, its client lists again, as after any long interruption.

use std::collections::HashSet;

/// The longest text that can hold the key and its number, cut by the end of a piece of an answer.
const CARRY: usize = 64;
const KEY: &str = "\"resourceVersion\":\"";

/// The resource versions that clients have been given.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// Goes up when the relay turns.
    era: u64,
    given: HashSet<u64>,
    stale: HashSet<u64>,
}

impl Versions {
    /// The number of turns so far.
    pub(super) fn era(&self) -> u64 {
        self.era
    }

    /// The relay turns: what was given until now is of the cluster before.
    pub(super) fn turn(&mut self) {
        self.era += 1;
        self.stale = std::mem::take(&mut self.given);
    }

    /// Notes what an answer of this era has given.
    pub(super) fn give(&mut self, era: u64, versions: impl IntoIterator<Item = u64>) {
        if era == self.era {
            self.given.extend(versions);
        }
    }

    /// Returns true if a list or watch asks for a version of the cluster before. One that both have
    /// given counts as such: to list again does no harm.
    pub(super) fn is_stale(&self, query: &str) -> bool {
        let version = query.split('&').find_map(|part| part.strip_prefix("resourceVersion="));
        version.and_then(|text| text.parse().ok()).is_some_and(|n: u64| self.stale.contains(&n))
    }
}

/// Finds resource versions in an answer that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    carry: Vec<u8>,
}

impl Scanner {
    /// The versions that this piece, behind the ones before, completes; some may come twice.
    pub(super) fn scan(&mut self, piece: &[u8]) -> Vec<u64> {
        self.carry.extend_from_slice(piece);
        let text = String::from_utf8_lossy(&self.carry);
        let numbers = text.split(KEY).skip(1).filter_map(|rest| rest.split_once('"'));
        let found = numbers.filter_map(|(number, _)| number.parse().ok()).collect();
        let cut = self.carry.len().saturating_sub(CARRY);
        self.carry.drain(..cut);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_wherever_an_answer_is_cut() {
        let answer = r#"{"metadata":{"resourceVersion":"123"},"items":[{"metadata":{"resourceVersion":"45"}}]}"#;
        for cut in 0..=answer.len() {
            let mut scanner = Scanner::default();
            let (first, second) = answer.as_bytes().split_at(cut);
            let mut found = scanner.scan(first);
            found.extend(scanner.scan(second));
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, [45, 123], "cut at {cut}");
        }
    }

    #[test]
    fn only_the_versions_of_the_cluster_before_are_stale() {
        let mut versions = Versions::default();
        versions.give(0, [7]);
        assert!(!versions.is_stale("watch=true&resourceVersion=7"));
        versions.turn();
        versions.give(0, [8]);
        versions.give(1, [9]);
        for (query, stale) in [
            ("watch=true&resourceVersion=7", true),
            ("resourceVersion=7&watch=true", true),
            ("resourceVersion=8", false),
            ("resourceVersion=9", false),
            ("resourceVersion=", false),
            ("resourceVersion=0", false),
            ("resourceVersionMatch=7", false),
            ("", false),
        ] {
            assert_eq!(versions.is_stale(query), stale, "{query}");
        }
        versions.turn();
        assert!(!versions.is_stale("resourceVersion=7"));
        assert!(versions.is_stale("resourceVersion=9"));
    }
}
