//! Deletions of management clusters for people: what would go, and what has gone.

use owo_colors::OwoColorize;
use support::visible::one_line;
use workflow::Prospect;

use super::Screen;
use crate::commands::{DeleteReport, StepReport};

/// Returns the cluster and its machines, before a deletion.
pub fn prospect(prospect: &Prospect, screen: &Screen) -> String {
    let cluster = one_line(&prospect.cluster);
    let Some(server) = &prospect.server else {
        return format!(
            "{} has left its management cluster already.\nWhat is left of it will be deleted.\n",
            cluster.bold()
        );
    };
    let machines: Vec<String> = prospect.machines.iter().map(|name| one_line(name)).collect();
    let manages = format!("{} manages itself at {}.", cluster.bold(), one_line(server));
    let effect = format!(
        "It will be deleted with everything that runs in it, and its {} Machines:",
        machines.len()
    );
    screen.line("", &manages) + &screen.line("", &effect) + &screen.line("  ", &machines.join(", "))
}

/// Returns the result of a deletion.
pub fn deletion(report: &DeleteReport, screen: &Screen) -> String {
    let steps = report.steps.iter().map(|step| step_line(step, screen)).collect::<String>();
    let (namespace, name) = (&report.namespace, &report.name);
    let end = format!(
        "Cluster {namespace}/{name} and its machines are gone. If your kubeconfig has a context \
         for it, remove the context with `kubectl config delete-context`."
    );
    format!("{steps}\n{}", screen.line("", &end))
}

/// Returns a step that was done, with its time and its result.
pub(super) fn step_line(step: &StepReport, screen: &Screen) -> String {
    screen.line(&format!("{:<18} {:>7.1} s  ", step.step, step.seconds), &step.summary)
}
