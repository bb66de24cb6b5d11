//! Runs of `create` for people: what they would do, how far they are, what has come of them.

use std::fmt::Write;

use owo_colors::OwoColorize;
use workflow::{Outline, OutlineStep, RunState, StepState};

use super::Screen;
use super::deletion::step_line;
use crate::called;
use crate::commands::PivotReport;

/// Returns the dry-run of `create`.
pub fn outline(outline: &Outline, screen: &Screen) -> String {
    let mut text = String::new();
    for (index, step) in outline.steps.iter().enumerate() {
        one(&mut text, index + 1, step, screen);
    }
    let _ = writeln!(text, "\nNothing was changed. Without --dry-run all of this is done.");
    text
}

fn one(text: &mut String, number: usize, step: &OutlineStep, screen: &Screen) {
    let needs: Vec<_> = step.needs.iter().map(|step| step.name()).collect();
    let after =
        if needs.is_empty() { String::new() } else { format!(" (after {})", needs.join(", ")) };
    let title = format!("{} [{}]{}", step.title.bold(), step.step, after.dimmed());
    text.push_str(&screen.line(&format!("{number}. "), &title));
    for sentence in &step.does {
        text.push_str(&screen.line("   ", sentence));
    }
    for line in &step.runs {
        let _ = writeln!(text, "   $ {line}");
    }
    for object in &step.applies {
        let yaml = support::yaml::document(object);
        for line in std::iter::once("---").chain(yaml.lines().filter(|line| *line != "---")) {
            let _ = writeln!(text, "     {line}");
        }
    }
}

/// Returns the result of a run of `create`.
pub fn pivot(report: &PivotReport, screen: &Screen) -> String {
    let mut text: String = report.steps.iter().map(|step| step_line(step, screen)).collect();
    if report.steps.is_empty() {
        let _ = writeln!(text, "The run had already finished.");
    }
    let (namespace, name) = (&report.namespace, &report.name);
    let kubeconfig = report.kubeconfig.display();
    let end = format!("Cluster {namespace}/{name} manages itself. Its kubeconfig is {kubeconfig}");
    let _ = writeln!(text, "\n{}", screen.line("", &end));
    // What goes behind the names of kubectl and clusterctl.
    let (kubectl, clusterctl) = match &report.context {
        Some(context) => {
            let _ = writeln!(text, "  kubectl config use-context {context}");
            (format!("--context {context}"), format!("--kubeconfig-context {context}"))
        }
        None => (format!("--kubeconfig {kubeconfig}"), format!("--kubeconfig {kubeconfig}")),
    };
    let _ = writeln!(
        text,
        "  kubectl {kubectl} get clusters,machines --all-namespaces\n  \
         clusterctl {clusterctl} describe cluster {name} -n {namespace}"
    );
    text
}

/// Returns the progress of runs of `create`.
pub fn runs(runs: &[RunState], screen: &Screen) -> String {
    let mut text = String::new();
    for run in runs {
        let state = match run.pid {
            Some(pid) if run.running => format!("running in process {pid}"),
            _ if run.is_finished() => "finished".to_owned(),
            _ => "not finished".to_owned(),
        };
        let began = run.began.as_deref().unwrap_or("at an unknown time");
        let _ = writeln!(text, "{} started {began}: {state}", run.name.bold());
        for (step, state) in &run.steps {
            let words = match state {
                StepState::Waiting => "-".dimmed().to_string(),
                StepState::Begun => "started".yellow().to_string(),
                StepState::Done { summary } => format!("{} {summary}", "✔".green()),
                StepState::Failed { error } => format!("{} {error}", "✘".red()),
            };
            text.push_str(&screen.line(&format!("  {:<18} ", step.name()), &words));
        }
        if !run.is_finished() && !run.running {
            let _ = writeln!(text, "  continue: {} resume {}", called::words(), run.name);
        }
    }
    if runs.is_empty() {
        text.push_str("no runs of create on this machine\n");
    }
    text
}
