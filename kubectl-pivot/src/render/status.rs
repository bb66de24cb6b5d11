//! The state of both clusters for people.

use std::fmt::Write;

use owo_colors::OwoColorize;

use super::scope::scope;
use super::sides::{batch_states, cluster_states};
use crate::called;
use crate::commands::{ClusterStatus, RunProgress, RunStatus, Status};
use crate::journal::{Course, PhaseState, RunState};
use crate::transfer::{Mark, Unread};
use crate::visible::one_line;

/// The state as text.
pub fn status(status: &Status) -> String {
    let mut text = String::new();
    for cluster in &status.clusters {
        one(&mut text, cluster);
    }
    if !status.cluster_states.is_empty() {
        text.push_str(&cluster_states(&status.cluster_states, false));
    }
    if let Some(state) = &status.journal {
        journal(&mut text, state);
    }
    let steps = status.next_steps();
    if !steps.is_empty() {
        text.push('\n');
    }
    for step in steps.iter().map(|step| one_line(step)) {
        let _ = writeln!(text, "{} (with the same kubeconfigs)", called::in_text(&step));
    }
    text
}

fn one(text: &mut String, cluster: &ClusterStatus) {
    let _ = writeln!(text, "{} {}", cluster.name.to_uppercase().bold(), cluster.server);
    let clusters = cluster.clusters.map_or_else(|| "unknown".to_owned(), |all| all.to_string());
    let _ = writeln!(text, "  clusters: {clusters}, paused: {}", cluster.paused.len());
    for paused in cluster.paused.iter().take(SHOWN) {
        let by = paused
            .by_run
            .as_ref()
            .map_or_else(|| "its user".to_owned(), |run| format!("the run {run}"));
        let by = one_line(&by);
        let _ = writeln!(text, "    {}/{} by {by}", paused.namespace, paused.name);
    }
    more(text, cluster.paused.len());
    match &cluster.run {
        None => text.push_str("  no run is going on\n"),
        Some(run) => describe(text, run),
    }
    leftovers(text, &cluster.leftovers);
    unread(text, &cluster.unread);
}

/// Clusters and leftovers shown one by one.
const SHOWN: usize = 10;

fn leftovers(text: &mut String, marks: &[Mark]) {
    if marks.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {} of runs without a record: {}", "marks".yellow(), marks.len());
    for mark in marks.iter().take(SHOWN) {
        let by = mark.run.as_ref().map_or_else(String::new, |run| format!(" of the run {run}"));
        let line = one_line(&format!("{}: {}{by}", mark.object, mark.mark));
        let _ = writeln!(text, "    {line}");
    }
    more(text, marks.len());
}

fn unread(text: &mut String, kinds: &[Unread]) {
    if kinds.is_empty() {
        return;
    }
    let _ = writeln!(text, "  {}, so there may be more: {}", "not readable".yellow(), kinds.len());
    for Unread { api_version, kind, problem } in kinds.iter().take(SHOWN) {
        let line = one_line(&format!("{kind} ({api_version}): {problem}"));
        let _ = writeln!(text, "    {line}");
    }
    more(text, kinds.len());
}

/// Says how many of a list are not shown.
fn more(text: &mut String, total: usize) {
    if total > SHOWN {
        let _ = writeln!(text, "    … and {} more (all of them with -o json)", total - SHOWN);
    }
}

/// The lines that only the journal on this machine can fill.
fn journal(text: &mut String, state: &RunState) {
    let _ = writeln!(text, "{} on this machine", "JOURNAL".bold());
    let phases: Vec<String> = state.phases.iter().map(phase).collect();
    if !phases.is_empty() {
        let _ = writeln!(text, "  phases: {}", phases.join(", "));
    }
    if let Some(progress) = state.progress.filter(|_| state.is_in_a_phase()) {
        let _ = writeln!(text, "  progress: {} of {}", progress.done, progress.total);
    }
    if let Some(backup) = &state.backup {
        let _ = writeln!(text, "  backup: {backup}");
    }
    if let Some(ended) = &state.ended {
        let error = ended.error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
        let _ = writeln!(text, "  ended {}: {}{}", ended.time, ended.outcome, one_line(&error));
    }
}

fn phase(phase: &PhaseState) -> String {
    let how = match (phase.state, phase.seconds) {
        (Course::Done, Some(seconds)) => return format!("{} {seconds:.1} s", phase.phase),
        (Course::Failed, _) => "failed",
        (Course::Killed, _) => "killed",
        (Course::Running | Course::Done, _) => "…",
    };
    format!("{} {how}", phase.phase)
}

fn describe(text: &mut String, run: &RunStatus) {
    let scope = scope(run.namespace.as_deref(), &run.namespaces, run.chosen.as_deref());
    let _ = writeln!(
        text,
        "  {} {} of {scope}, begun {}: {}, this is its {}",
        run.operation,
        run.id,
        one_line(&run.started),
        run.phase.bold(),
        run.role
    );
    if !run.batches.is_empty() {
        let _ = writeln!(text, "  batches: {}", batch_states(&run.batches));
    }
    let _ = match (&run.holder, run.renewed_seconds_ago) {
        (Some(holder), Some(ago)) => {
            writeln!(text, "  held by {}, renewed {ago} s ago", one_line(holder))
        }
        _ => writeln!(text, "  {}", "interrupted: nobody holds it".yellow()),
    };
    let RunProgress { copies, being_deleted, .. } = run.progress;
    if copies > 0 {
        let _ = writeln!(text, "  copies of this run: {copies}");
    }
    if being_deleted > 0 {
        let _ = writeln!(text, "  in deletion: {being_deleted}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::commands::PausedCluster;
    use crate::transfer::Phase;
    use crate::visible;

    const FOREIGN: &str = "x\u{1b}[2J\u{1b}[31m\nerror: fake; rm -rf ~";

    #[test]
    fn what_tenants_and_other_runs_write_moves_no_cursor_and_makes_no_line_and_no_command() {
        let run = RunStatus {
            id: "r".to_owned(),
            operation: "restore".to_owned(),
            peer: FOREIGN.to_owned(),
            role: "target".to_owned(),
            phase: Phase::Preparing,
            can_be_rolled_back: true,
            started: FOREIGN.to_owned(),
            namespace: Some(FOREIGN.to_owned()),
            namespaces: BTreeSet::new(),
            chosen: None,
            batches: Vec::new(),
            is_between_batches: false,
            holder: Some(FOREIGN.to_owned()),
            renewed_seconds_ago: Some(1),
            progress: RunProgress::default(),
        };
        let interrupted = RunStatus { holder: None, renewed_seconds_ago: None, ..run.clone() };
        let paused = PausedCluster {
            namespace: "default".to_owned(),
            name: "c".to_owned(),
            by_run: Some(FOREIGN.to_owned()),
            paused_seconds: None,
        };
        let cluster = |run| ClusterStatus {
            name: "target".to_owned(),
            server: "https://a".to_owned(),
            run: Some(run),
            clusters: Some(1),
            paused: vec![paused.clone()],
            leftovers: Vec::new(),
            unread: Vec::new(),
        };
        let clusters = vec![cluster(run), cluster(interrupted)];
        let states = Vec::new();
        let text = status(&Status {
            api_version: "v",
            kind: "k",
            clusters,
            cluster_states: states,
            journal: None,
        });
        assert_eq!(visible::output(&text), text, "{text:?}");
        assert!(!text.contains("\u{1b}[31m") && text.contains(r"\u{1b}[2J"), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("error: fake")), "{text}");
        assert!(text.contains(r"restore 'x\u{1b}"), "{text}");
    }
}
