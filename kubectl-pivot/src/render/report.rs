//! The report of a run for people: the result, then what to know and to do next.

use std::fmt::Write;

use owo_colors::OwoColorize;
use probes::ProbeOutcome;
use support::visible::one_line;
use transfer::{Operation, Outcome, Report};

use super::findings::findings;
use super::move_plan::{amounts, line, listed, move_plan, others};
use super::scope::scope;
use super::screen::Screen;
use super::sides::{batch_states, cluster_states};
use crate::called;

/// Names that are shown of a list; the rest is counted.
const SHOWN: usize = 3;

/// The wishes of a reader.
#[derive(Clone, Debug, Default)]
pub struct ReportView {
    /// All objects, the times and the requests.
    pub is_verbose: bool,
    /// The next command.
    pub next: Option<String>,
}

/// The report as text.
pub fn report(report: &Report, view: &ReportView, screen: &Screen) -> String {
    let every = view.is_verbose;
    let mut text = findings(&report.findings, screen, every);
    match report.outcome {
        Outcome::Planned => text.push_str(&move_plan(report, screen, every)),
        _ => text.push_str(&screen.line("", &headline(report))),
    }
    // Of a refused move only the findings matter; the plan has its lists already.
    if !matches!(report.outcome, Outcome::Planned | Outcome::Refused) {
        text.push_str(&others(report, screen, every));
    }
    conversions(&mut text, report, (screen, every));
    if !report.added_by_target.is_empty() {
        let fields: Vec<String> =
            report.added_by_target.iter().map(|field| one_line(field)).collect();
        let shown = if every { fields.len() } else { SHOWN };
        let words = format!("fields by the target to the copies: {}", listed(&fields, shown, ", "));
        text.push_str(&line(screen, "ADDED", &words));
    }
    clusters(&mut text, report, (screen, every));
    probes(&mut text, report, screen);
    if let Some(backup) = &report.backup {
        text.push_str(&line(screen, "BACKUP", &one_line(backup)));
    }
    if every {
        numbers(&mut text, report, screen);
    }
    ending(&mut text, report, (view, screen));
    called::in_text(&screen.fit(&text))
}

/// The last lines: the next command, which may be pasted and so is never broken.
fn ending(text: &mut String, report: &Report, (view, screen): (&ReportView, &Screen)) {
    if report.outcome == Outcome::Planned {
        let _ = write!(text, "\n{}", screen.line("", &planned(report)));
    }
    let Some(next) = &view.next else { return };
    match report.outcome {
        Outcome::Planned => {
            let _ = writeln!(text, "Without --dry-run it does all of this:\n  {next}");
        }
        Outcome::Moved | Outcome::Saved => {
            let _ = writeln!(text, "Next: {next}");
        }
        Outcome::Replaced => {
            let _ = writeln!(text, "To delete what the source keeps:\n  {next}");
        }
        _ => {}
    }
}

fn planned(report: &Report) -> String {
    let scope = scope(report.namespace.as_deref(), &report.namespaces, report.chosen.as_deref());
    let verb = match report.operation {
        Operation::Move if report.source_stays => "Would copy and hand over",
        Operation::Move => "Would move",
        Operation::Backup => "Would back up",
        Operation::Restore => "Would restore",
    };
    format!("{} {} in {scope}; nothing was changed (dry-run)", verb.bold(), amounts(report))
}

fn headline(report: &Report) -> String {
    let scope = scope(report.namespace.as_deref(), &report.namespaces, report.chosen.as_deref());
    let all = amounts(report);
    let (source, target) = (one_line(&report.source), one_line(&report.target));
    let seconds: f64 = report.phases.iter().map(|phase| phase.seconds).sum();
    match report.outcome {
        Outcome::Moved => format!(
            "{} {all} from {source} to {target} in {seconds:.1} s.{}",
            "Moved".green().bold(),
            if report.held.is_empty() { "" } else { " Some objects are left in the source." }
        ),
        Outcome::Replaced => format!(
            "{}: {all} are in {target}; {source} keeps them, paused, and `kubectl pivot rollback` \
             goes back",
            "Replaced".green().bold()
        ),
        Outcome::Planned => String::new(),
        Outcome::Refused => {
            format!("{}: fix the errors above; nothing was changed", "Refused".red().bold())
        }
        Outcome::NothingInScope => format!(
            "{} in {scope} of {source}; nothing was changed",
            match report.operation {
                Operation::Move => "Nothing to move",
                Operation::Backup => "Nothing to back up",
                Operation::Restore => "Nothing to restore",
            }
            .yellow()
            .bold(),
        ),
        Outcome::Saved => format!("{} {all} in {scope} to {target}", "Saved".green().bold()),
        Outcome::Restored => restored(report),
        Outcome::Undone => format!("{}: everything was rolled back", "Failed".red().bold()),
        Outcome::PartlyMoved if report.error.is_none() => format!(
            "{} {all} from {source} to {target} in {seconds:.1} s. The rest stays in the source",
            "Moved".green().bold()
        ),
        Outcome::PartlyMoved => {
            format!("{}: some Clusters have moved, the rest was rolled back", "Failed".red().bold())
        }
        Outcome::Unfinished => format!("{} halfway", "Failed".red().bold()),
        Outcome::NotBegun => format!("{}: nothing was changed", "Failed".red().bold()),
    }
}

fn restored(report: &Report) -> String {
    let there = report.reused.len();
    let created = report.objects().saturating_sub(there);
    let mut text = format!(
        "{} {} from {} to {}",
        "Restored".green().bold(),
        amounts(report),
        one_line(&report.source),
        one_line(&report.target)
    );
    if there > 0 {
        let _ =
            write!(text, ": {created} created, {there} were there already and left as they are");
    }
    text
}

/// Kinds that the target converts, and the fields of each that do not stay as they are.
fn conversions(text: &mut String, report: &Report, (screen, every): (&Screen, bool)) {
    let shown = if every { usize::MAX } else { SHOWN * 4 };
    let mut lines = Vec::new();
    for kind in &report.conversions {
        lines.push(format!("{} from {} to {}", kind.resource, kind.from, kind.to));
        let fields = kind.fields.iter();
        lines.extend(fields.map(|field| format!("  {}: {}", field.field, field.reason)));
    }
    if let Some(more) = lines.len().checked_sub(shown).filter(|more| *more > 0) {
        lines.truncate(shown);
        lines.push(format!("… and {more} lines more (-v shows all)"));
    }
    if !lines.is_empty() {
        text.push_str(&line(screen, "CONVERT", "the target converts:"));
    }
    for words in lines {
        let indent = if words.starts_with("  ") { "           " } else { "         " };
        text.push_str(&screen.line(indent, one_line(&words).trim_start()));
    }
}

fn clusters(text: &mut String, report: &Report, (screen, every): (&Screen, bool)) {
    if !report.batches.is_empty() {
        text.push_str(&line(screen, "BATCHES", &batch_states(&report.batches)));
    }
    if !report.cluster_states.is_empty() {
        let _ = write!(text, "\n{}", cluster_states(&report.cluster_states, every));
    }
}

fn numbers(text: &mut String, report: &Report, screen: &Screen) {
    let phases: Vec<String> = report
        .phases
        .iter()
        .map(|phase| format!("{} {:.1} s", phase.phase, phase.seconds))
        .collect();
    if !phases.is_empty() {
        text.push_str(&line(screen, "TIME", &phases.join(", ")));
    }
    for (cluster, requests) in &report.requests {
        let total: u64 = requests.values().sum();
        let parts: Vec<String> =
            requests.iter().map(|(verb, count)| format!("{count} {verb}")).collect();
        let words = format!("{total} to the {cluster} ({})", parts.join(", "));
        text.push_str(&line(screen, "REQUESTS", &words));
    }
}

/// Readiness probes: how many hold, and each that does not, or that nobody has looked at.
fn probes(text: &mut String, report: &Report, screen: &Screen) {
    let results = &report.probes.results;
    if !results.is_empty() {
        let held = results.iter().filter(|result| result.outcome == ProbeOutcome::Held).count();
        text.push_str(&line(screen, "PROBES", &format!("{held} of {} hold", results.len())));
    }
    for result in results.iter().filter(|result| result.outcome != ProbeOutcome::Held) {
        let tag = if result.is_bad() && report.outcome == Outcome::Moved {
            "error:".red().bold().to_string()
        } else {
            "note:".cyan().to_string()
        };
        let words = format!("{tag} {}", one_line(&result.to_string()));
        text.push_str(&line(screen, "", &words));
    }
    for unprobed in &report.probes.unprobed {
        let plugin = unprobed.plugin.as_ref().map(|plugin| format!("plugin {plugin}: "));
        let words = format!(
            "none for the infrastructure provider {}: {}{}",
            one_line(&unprobed.provider),
            one_line(&plugin.unwrap_or_default()),
            one_line(&unprobed.reason)
        );
        text.push_str(&line(screen, "PROBES", &words));
    }
    if report.has_bad_probes() {
        let words = "the move is done and is not undone; fix what the probes wait for, then run \
                     `kubectl pivot verify`";
        text.push_str(&screen.line(&format!("{} ", "hint:".cyan()), words));
    }
}
