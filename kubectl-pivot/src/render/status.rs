//! The state of both clusters for people.

use std::fmt::Write;

use owo_colors::OwoColorize;
use support::journal::{Course, PhaseState, RunState};
use support::visible::one_line;
use transfer::{Mark, Phase, Unread};

use super::scope::scope;
use super::screen::Screen;
use super::sides::{batch_states, cluster_states};
use crate::called;
use crate::commands::{ClusterStatus, RunProgress, RunStatus, Status};

/// Clusters and leftovers shown one by one.
const SHOWN: usize = 5;

/// The state as text. `flags` name the clusters in the commands that it suggests.
pub fn status(status: &Status, flags: &str, screen: &Screen) -> String {
    let mut text = String::new();
    let mut described: Vec<&RunStatus> = Vec::new();
    for run in status.clusters.iter().filter_map(|cluster| cluster.run.as_ref()) {
        // The records of both ends of a run say the same, up to the role of the cluster.
        if !described.iter().any(|other| is_same(other, run)) {
            describe(&mut text, run, screen);
            described.push(run);
        }
    }
    for cluster in &status.clusters {
        one(&mut text, cluster, (screen, described.len() > 1));
    }
    if !status.cluster_states.is_empty() {
        text.push_str(&cluster_states(&status.cluster_states, false));
    }
    if let Some(state) = &status.journal {
        journal(&mut text, state, screen);
    }
    if described.is_empty() {
        text.push_str(&line(screen, "RUN", "none is at work or interrupted"));
    }
    for step in status.next_steps().iter().map(|step| one_line(step)) {
        let _ = writeln!(text, "{} {flags}", called::in_text(&step));
    }
    screen.fit(&text)
}

fn is_same(one: &RunStatus, other: &RunStatus) -> bool {
    one.id == other.id && one.phase == other.phase && one.holder == other.holder
}

fn line(screen: &Screen, head: &str, words: &str) -> String {
    screen.line(&format!("{head:<8}"), words)
}

fn describe(text: &mut String, run: &RunStatus, screen: &Screen) {
    let scope = scope(run.namespace.as_deref(), &run.namespaces, run.chosen.as_deref());
    let words =
        format!("{} of {scope}, started {}, phase: {}", run.id, one_line(&run.started), run.phase);
    text.push_str(&line(screen, &run.operation.to_uppercase(), &words));
    let holder = match (&run.holder, run.renewed_seconds_ago) {
        (Some(holder), Some(ago)) => {
            format!("at work: {}, seen {ago} s ago", one_line(holder))
        }
        _ if run.phase == Phase::Left => {
            "nobody: the source is replaced, and stays paused until it is deleted".to_owned()
        }
        _ => "nobody: the run was interrupted".yellow().to_string(),
    };
    text.push_str(&line(screen, "HOLDER", &holder));
    if !run.batches.is_empty() {
        text.push_str(&line(screen, "BATCHES", &batch_states(&run.batches)));
    }
}

fn one(text: &mut String, cluster: &ClusterStatus, (screen, with_run): (&Screen, bool)) {
    let mut words = vec![one_line(&cluster.server)];
    let clusters = cluster.clusters.map_or_else(|| "unknown".to_owned(), |all| all.to_string());
    words.push(format!("{clusters} clusters"));
    let run = cluster.run.as_ref().map(|run| run.id.as_str());
    let by_run = |id: Option<&str>| {
        cluster.paused.iter().filter(|paused| paused.by_run.as_deref() == id).count()
    };
    let own = if run.is_some() { by_run(run) } else { 0 };
    let by_user = by_run(None);
    let others = cluster.paused.len() - own - by_user;
    let counts = [
        (own, "paused by this run"),
        (others, "paused by another run"),
        (by_user, "paused by their users"),
    ];
    words.extend(
        counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}")),
    );
    let RunProgress { copies, being_deleted, .. } =
        cluster.run.as_ref().map(|run| run.progress).unwrap_or_default();
    let counts = [(copies, "copies of this run"), (being_deleted, "objects in deletion")];
    words.extend(
        counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}")),
    );
    if let Some(run) = cluster.run.as_ref().filter(|_| with_run) {
        words.push(format!("{} of {} {} ({})", run.role, run.operation, run.id, run.phase));
    }
    let resting = cluster.resting.iter().map(|run| format!("target of the replacement {run} too"));
    words.extend(resting);
    text.push_str(&line(screen, &cluster.name.to_uppercase(), &words.join(", ")));
    leftovers(text, &cluster.leftovers, screen);
    unread(text, &cluster.unread, screen);
}

fn leftovers(text: &mut String, marks: &[Mark], screen: &Screen) {
    if marks.is_empty() {
        return;
    }
    let words = format!("{} of runs without a record: {}", "marks".yellow(), marks.len());
    text.push_str(&line(screen, "", &words));
    for mark in marks.iter().take(SHOWN) {
        let by = mark.run.as_ref().map_or_else(String::new, |run| format!(" of the run {run}"));
        let words = one_line(&format!("{}: {}{by}", mark.object, mark.mark));
        text.push_str(&line(screen, "", &words));
    }
    more(text, marks.len(), screen);
}

fn unread(text: &mut String, kinds: &[Unread], screen: &Screen) {
    if kinds.is_empty() {
        return;
    }
    let words = format!("{}, so there may be more: {}", "not readable".yellow(), kinds.len());
    text.push_str(&line(screen, "", &words));
    for Unread { api_version, kind, problem } in kinds.iter().take(SHOWN) {
        let words = one_line(&format!("{kind} ({api_version}): {problem}"));
        text.push_str(&line(screen, "", &words));
    }
    more(text, kinds.len(), screen);
}

/// Says how many of a list are not shown.
fn more(text: &mut String, total: usize, screen: &Screen) {
    if total > SHOWN {
        let words = format!("… and {} more (all of them with -o json)", total - SHOWN);
        text.push_str(&line(screen, "", &words));
    }
}

/// The lines that only the journal on this machine can fill.
fn journal(text: &mut String, state: &RunState, screen: &Screen) {
    let phases: Vec<String> = state.phases.iter().map(phase).collect();
    if !phases.is_empty() {
        text.push_str(&line(screen, "PHASES", &phases.join(", ")));
    }
    if let Some(progress) = state.progress.filter(|_| state.is_in_a_phase()) {
        let words = format!("{} of {} objects", progress.done, progress.total);
        text.push_str(&line(screen, "NOW", &words));
    }
    if let Some(backup) = &state.backup {
        text.push_str(&line(screen, "BACKUP", &one_line(backup)));
    }
    if let Some(ended) = &state.ended {
        let error = ended.error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
        let words = format!("{}: {}{}", ended.time, ended.outcome, one_line(&error));
        text.push_str(&line(screen, "ENDED", &words));
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::commands::PausedCluster;
    use support::visible;
    use transfer::Phase;

    const FOREIGN: &str = "x\u{1b}[2J\u{1b}[31m\nerror: fake; rm -rf ~";

    #[test]
    fn texts_of_tenants_and_other_runs_move_no_cursor_and_make_no_line_and_no_command() {
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
            resting: Vec::new(),
            clusters: Some(1),
            paused: vec![paused.clone()],
            leftovers: Vec::new(),
            unread: Vec::new(),
        };
        let clusters = vec![cluster(run), cluster(interrupted)];
        let state = Status {
            api_version: "v",
            kind: "k",
            clusters,
            cluster_states: Vec::new(),
            journal: None,
        };
        let text = status(&state, "--kubeconfig a", &Screen { columns: 10_000, is_utf8: true });
        assert_eq!(visible::output(&text), text, "{text:?}");
        assert!(!text.contains("\u{1b}[31m") && text.contains(r"\u{1b}[2J"), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("error: fake")), "{text}");
        assert!(text.contains(r"restore 'x\u{1b}"), "{text}");
    }
}
