//! The state of both clusters for people.

use std::fmt::Write;

use owo_colors::OwoColorize;

use crate::commands::{ClusterStatus, RunProgress, RunStatus, Status};
use crate::journal::{Course, PhaseState, RunState};
use crate::transfer::Mark;

/// The state as text.
pub fn status(status: &Status) -> String {
    let mut text = String::new();
    for cluster in &status.clusters {
        one(&mut text, cluster);
    }
    if let Some(state) = &status.journal {
        journal(&mut text, state);
    }
    let steps = status.next_steps();
    if !steps.is_empty() {
        text.push('\n');
    }
    for step in steps {
        let _ = writeln!(text, "{step} (with the same kubeconfigs)");
    }
    text
}

fn one(text: &mut String, cluster: &ClusterStatus) {
    let _ = writeln!(text, "{} {}", cluster.name.to_uppercase().bold(), cluster.server);
    let _ = writeln!(text, "  clusters: {}, paused: {}", cluster.clusters, cluster.paused.len());
    for paused in cluster.paused.iter().take(SHOWN) {
        let by = paused
            .by_run
            .as_ref()
            .map_or_else(|| "its user".to_owned(), |run| format!("the run {run}"));
        let _ = writeln!(text, "    {}/{} by {by}", paused.namespace, paused.name);
    }
    more(text, cluster.paused.len());
    match &cluster.run {
        None => text.push_str("  no run is going on\n"),
        Some(run) => describe(text, run),
    }
    leftovers(text, &cluster.leftovers);
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
        let _ = writeln!(text, "    {}: {}{by}", mark.object, mark.mark);
    }
    more(text, marks.len());
}

/// Says how many of a list are not shown.
fn more(text: &mut String, total: usize) {
    if total > SHOWN {
        let _ = writeln!(text, "    … and {} more (all of them with -o json)", total - SHOWN);
    }
}

/// What only the journal on this machine knows.
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
        let _ = writeln!(text, "  ended {}: {}{error}", ended.time, ended.outcome);
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
    let scope = run
        .namespace
        .as_ref()
        .map_or_else(|| "all namespaces".to_owned(), |ns| format!("namespace {ns}"));
    let _ = writeln!(
        text,
        "  {} {} of {scope}, begun {}: {}, this is its {}",
        run.operation,
        run.id,
        run.started,
        run.phase.bold(),
        run.role
    );
    let _ = match (&run.holder, run.renewed_seconds_ago) {
        (Some(holder), Some(ago)) => writeln!(text, "  held by {holder}, renewed {ago} s ago"),
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
