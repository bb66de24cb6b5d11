//! Deletions of management clusters for people: what would go, and what has gone.

use std::fmt::Write;

use owo_colors::OwoColorize;
use support::visible::one_line;
use workflow::Prospect;

use crate::commands::DeleteReport;

/// Shows the cluster and its machines before a deletion.
pub fn prospect(prospect: &Prospect) -> String {
    let cluster = one_line(&prospect.cluster);
    let Some(server) = &prospect.server else {
        return format!(
            "{} has left its management cluster already.\nWhat is left of it will be deleted.\n",
            cluster.bold()
        );
    };
    let machines: Vec<String> = prospect.machines.iter().map(|name| one_line(name)).collect();
    format!(
        "{} manages itself at {}.\nIt will be deleted with everything that runs in it, and its {} Machines:\n  {}\n",
        cluster.bold(),
        one_line(server),
        machines.len(),
        machines.join(", ")
    )
}

/// The result of a deletion.
pub fn deletion(report: &DeleteReport) -> String {
    let mut text = String::new();
    for step in &report.steps {
        let _ = writeln!(text, "{:<18} {:>7.1} s  {}", step.step, step.seconds, step.summary);
    }
    let (namespace, name) = (&report.namespace, &report.name);
    let _ = writeln!(
        text,
        "\nCluster {namespace}/{name} and its machines are gone. A context for it in your kubeconfig leads \
         nowhere now; kubectl config delete-context removes it."
    );
    text
}
