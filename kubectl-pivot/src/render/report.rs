//! The report of a move for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use owo_colors::OwoColorize;

use super::kubectl_table::align;
use super::scope::scope;
use super::sides::{batch_states, cluster_states};
use crate::called;
use crate::probes::ProbeOutcome;
use crate::transfer::{Explained, Finding, Outcome, Report, Severity};
use crate::visible::{indented, one_line};

/// Objects shown one by one for each reason; the rest is counted.
const SHOWN: usize = 10;

/// The report as text. With `every`, nothing is left to a count.
pub fn report(report: &Report, every: bool) -> String {
    let mut text = String::new();
    findings(&mut text, &report.findings);
    counts(&mut text, report);
    conversions(&mut text, report, every);
    if report.outcome == Outcome::Planned {
        planned(&mut text, report, every);
    }
    explained(&mut text, "Kept in the source too", &report.kept, every);
    explained(&mut text, "Not moved", &report.not_moved, every);
    explained(&mut text, "Still in the source", &report.held, every);
    let title = "Deleted by the garbage collector of the source";
    explained(&mut text, title, &report.collected, every);
    if !report.added_by_target.is_empty() {
        let _ = writeln!(text, "\nFields that the target added to the copies:");
        some(
            &mut text,
            report.added_by_target.iter().cloned(),
            report.added_by_target.len(),
            every,
        );
    }
    clusters(&mut text, report, every);
    numbers(&mut text, report);
    probes(&mut text, report);
    if let Some(backup) = &report.backup {
        let _ = writeln!(text, "Backup:   {backup}");
    }
    let _ = writeln!(text, "\n{}", headline(report));
    called::in_text(&text)
}

fn headline(report: &Report) -> String {
    let chosen = report.chosen.as_deref();
    let scope = scope(report.namespace.as_deref(), &report.namespaces, chosen);
    let what = format!(
        "{} and {} in {scope}",
        count(report.clusters, "cluster"),
        count(report.objects(), "object")
    );
    match report.outcome {
        Outcome::Moved => {
            let all = format!(
                "{}, {}",
                count(report.clusters, "cluster"),
                count(report.objects(), "object")
            );
            format!("{} {all} from {} to {}", "Moved".green().bold(), report.source, report.target)
        }
        Outcome::Planned => {
            format!("{} {what}; nothing was changed (dry-run)", "Would move".bold())
        }
        Outcome::Refused => {
            format!("{}: fix the errors above; nothing was changed", "Refused".red().bold())
        }
        Outcome::NothingInScope => format!(
            "{} in {scope} of {}; nothing was changed",
            "Nothing to move".yellow().bold(),
            report.source
        ),
        Outcome::Saved => format!("{} {what} to {}", "Saved".green().bold(), report.target),
        Outcome::Restored => restored(report),
        Outcome::Undone => format!("{}: everything was rolled back", "Failed".red().bold()),
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
        "{} {} and {} from {} to {}",
        "Restored".green().bold(),
        count(report.clusters, "cluster"),
        count(report.objects(), "object"),
        report.source,
        report.target
    );
    if there > 0 {
        let _ =
            write!(text, ": {created} created, {there} were there already and left as they are");
    }
    text
}

fn findings(text: &mut String, findings: &[Finding]) {
    for finding in findings {
        let tag = match finding.severity {
            Severity::Error => "error".red().bold().to_string(),
            Severity::Warning => "warning".yellow().bold().to_string(),
        };
        let _ = writeln!(
            text,
            "{tag}: {} cluster: {} [{}]",
            finding.cluster,
            indented(&finding.message, 4),
            finding.rule
        );
        let _ = writeln!(text, "  {} {}", "hint:".cyan(), indented(&finding.hint, 4));
    }
    if let Some(first) = findings.first() {
        let one_rule = findings.iter().all(|finding| finding.rule == first.rule);
        let rule = if one_rule { first.rule } else { "RULE" };
        let _ = writeln!(text, "More about a finding: kubectl pivot explain {rule}\n");
    }
}

fn counts(text: &mut String, report: &Report) {
    if report.counts_by_kind.is_empty() {
        return;
    }
    let mut lines = vec![vec!["KIND".to_owned(), "OBJECTS".to_owned()]];
    lines.extend(
        report.counts_by_kind.iter().map(|(kind, count)| vec![kind.clone(), count.to_string()]),
    );
    text.push_str(&align(&lines));
}

/// Kinds that the target converts, and the fields of each that do not stay as they are.
fn conversions(text: &mut String, report: &Report, every: bool) {
    if report.conversions.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nConverted by the target:");
    let mut lines = Vec::new();
    for kind in &report.conversions {
        lines.push(format!("{} from {} to {}", kind.resource, kind.from, kind.to));
        let fields = kind.fields.iter();
        lines.extend(fields.map(|field| format!("  {}: {}", field.field, field.reason)));
    }
    let count = lines.len();
    let shown = if every { count } else { SHOWN * 5 };
    for line in lines.iter().take(shown) {
        let _ = writeln!(text, "  {}", one_line(line));
    }
    if count > shown {
        let _ = writeln!(text, "  … and {} lines more (all of them with -o json)", count - shown);
    }
}

fn planned(text: &mut String, report: &Report, every: bool) {
    let _ = writeln!(text, "\nWould be moved, owners first:");
    some(text, report.moved.iter().map(ToString::to_string), report.moved.len(), every);
}

fn explained(text: &mut String, title: &str, objects: &[Explained], every: bool) {
    let mut by_reason: BTreeMap<&str, Vec<&Explained>> = BTreeMap::new();
    for object in objects {
        by_reason.entry(&object.reason).or_default().push(object);
    }
    for (reason, objects) in by_reason {
        let _ = writeln!(text, "\n{title} ({}): {}", objects.len(), one_line(reason));
        some(text, objects.iter().map(|object| object.object.to_string()), objects.len(), every);
    }
}

fn some(text: &mut String, lines: impl Iterator<Item = String>, total: usize, every: bool) {
    let shown = if every { total } else { SHOWN };
    for line in lines.take(shown) {
        let _ = writeln!(text, "  {}", one_line(&line));
    }
    if total > shown {
        let _ = writeln!(text, "  … and {} more (all of them with -o json)", total - shown);
    }
}

fn clusters(text: &mut String, report: &Report, every: bool) {
    if !report.batches.is_empty() {
        let _ = writeln!(text, "\nBatches:  {}", batch_states(&report.batches));
    }
    if !report.cluster_states.is_empty() {
        let _ = write!(text, "\n{}", cluster_states(&report.cluster_states, every));
    }
}

fn numbers(text: &mut String, report: &Report) {
    let phases: Vec<String> = report
        .phases
        .iter()
        .map(|phase| format!("{} {:.1} s", phase.phase, phase.seconds))
        .collect();
    if !phases.is_empty() {
        let _ = writeln!(text, "\nTime:     {}", phases.join(", "));
    }
    for (cluster, requests) in &report.requests {
        let total: u64 = requests.values().sum();
        let parts: Vec<String> =
            requests.iter().map(|(verb, count)| format!("{count} {verb}")).collect();
        let _ = writeln!(text, "Requests: {total} to the {cluster} ({})", parts.join(", "));
    }
}

/// Readiness probes: how many hold, and each that does not, or that nobody has looked at.
fn probes(text: &mut String, report: &Report) {
    let results = &report.probes.results;
    if !results.is_empty() {
        let held = results.iter().filter(|result| result.outcome == ProbeOutcome::Held).count();
        let _ = writeln!(text, "Probes:   {held} of {} hold", results.len());
    }
    for result in results.iter().filter(|result| result.outcome != ProbeOutcome::Held) {
        let tag = if result.is_bad() && report.outcome == Outcome::Moved {
            "error:".red().bold().to_string()
        } else {
            "note:".cyan().to_string()
        };
        let _ = writeln!(text, "  {tag} {}", one_line(&result.to_string()));
    }
    for unprobed in &report.probes.unprobed {
        let plugin = unprobed.plugin.as_ref().map(|plugin| format!("plugin {plugin}: "));
        let _ = writeln!(
            text,
            "Probes:   none for the infrastructure provider {}: {}{}",
            one_line(&unprobed.provider),
            one_line(&plugin.unwrap_or_default()),
            one_line(&unprobed.reason)
        );
    }
    if report.has_bad_probes() {
        let _ = writeln!(
            text,
            "{} the move is done and is not undone; fix what the probes wait for, then \
             `kubectl pivot verify`",
            "hint:".cyan()
        );
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
