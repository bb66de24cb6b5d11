//! The journals of runs, held against the phase machine of the protocol.
//!
//! A run that is killed and finished on another machine has a journal on each; they are put
//! together by time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use protocol::{JournalEvent, replay};
use serde_json::Value;

/// Returns deeds of runs that the phase machine does not allow.
pub fn violations(homes: impl Iterator<Item = PathBuf>) -> Vec<String> {
    let mut runs: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for journal in homes.flat_map(|home| journals(&home)) {
        let run = journal.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let text = fs::read_to_string(&journal).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        runs.entry(run.unwrap_or_default()).or_default().extend(lines);
    }
    runs.into_iter().filter_map(|(run, lines)| violation(&run, lines)).collect()
}

/// The journals on a machine whose state folder is where it belongs.
fn journals(home: &Path) -> Vec<PathBuf> {
    let folder = fs::read_dir(home.join("state/kubectl-pivot/runs"));
    folder.into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn violation(run: &str, mut lines: Vec<Value>) -> Option<String> {
    lines.sort_by_key(|line| line["time"].as_str().map(str::to_owned));
    let is_of_files =
        |line: &Value| line["operation"] == "backup" || line["operation"] == "restore";
    if lines.iter().any(is_of_files) {
        return None;
    }
    let events: Vec<JournalEvent<'_>> = lines.iter().filter_map(event).collect();
    let error = replay(events.iter().copied()).err()?;
    Some(format!("journal of {run}: {error}; its events: {events:?}"))
}

fn event(line: &Value) -> Option<JournalEvent<'_>> {
    if line["event"] == "batchStarted" {
        return Some(JournalEvent::BatchStarted);
    }
    let name = line["phase"].as_str()?;
    match line["event"].as_str()? {
        "phaseStarted" => Some(JournalEvent::Started(name)),
        // What has failed proves nothing, and a process that slept may say so long after others
        // have gone on.
        "phaseEnded" if line["failed"] == Value::Bool(true) => None,
        "phaseEnded" => Some(JournalEvent::Ended { name, has_failed: false }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(time: u32, event: &str, phase: &str) -> Value {
        json!({"time": format!("2026-01-01T00:00:{time:02}Z"), "event": event, "phase": phase,
            "failed": false})
    }

    #[test]
    fn a_journal_is_put_together_by_time() {
        let lines = vec![
            line(3, "phaseStarted", "verify"),
            line(5, "phaseStarted", "handOver"),
            line(1, "phaseStarted", "copy"),
            line(4, "phaseEnded", "verify"),
        ];
        assert_eq!(violation("r", lines), None);
    }

    #[test]
    fn a_deletion_without_a_commit_is_reported() {
        let lines = vec![line(1, "phaseEnded", "copy"), line(2, "phaseStarted", "delete")];
        let text = violation("r", lines).expect("nothing was committed");
        assert!(text.contains("delete does not belong to a run that is preparing"), "{text}");
    }
}
