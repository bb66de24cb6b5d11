//! The state of both clusters for people.

use std::fmt::Write;

use owo_colors::OwoColorize;

use crate::commands::{ClusterStatus, RunStatus, Status};

/// The state as text.
pub fn status(status: &Status) -> String {
    let mut text = String::new();
    for cluster in &status.clusters {
        one(&mut text, cluster);
    }
    if status.is_interrupted() {
        text.push_str("\nFinish the interrupted move: kubectl pivot resume (same --kubeconfig and --to-kubeconfig)\n");
        text.push_str(
            "Put everything back:         kubectl pivot rollback (while it is preparing)\n",
        );
    }
    text
}

fn one(text: &mut String, cluster: &ClusterStatus) {
    let _ = writeln!(text, "{} {}", cluster.name.to_uppercase().bold(), cluster.server);
    let _ = writeln!(text, "  clusters: {}, paused: {}", cluster.clusters, cluster.paused.len());
    for paused in &cluster.paused {
        let by = paused
            .by_run
            .as_ref()
            .map_or_else(|| "its user".to_owned(), |run| format!("the move {run}"));
        let _ = writeln!(text, "    {}/{} by {by}", paused.namespace, paused.name);
    }
    match &cluster.run {
        None => text.push_str("  no move is going on\n"),
        Some(run) => describe(text, run),
    }
}

fn describe(text: &mut String, run: &RunStatus) {
    let scope = run
        .namespace
        .as_ref()
        .map_or_else(|| "all namespaces".to_owned(), |ns| format!("namespace {ns}"));
    let _ = writeln!(
        text,
        "  move {} of {scope}, begun {}: {}, this is its {}",
        run.id,
        run.started,
        run.phase.bold(),
        run.role
    );
    let _ = match (&run.holder, run.renewed_seconds_ago) {
        (Some(holder), Some(ago)) => writeln!(text, "  held by {holder}, renewed {ago} s ago"),
        _ => writeln!(text, "  {}", "interrupted: nobody holds it".yellow()),
    };
}
