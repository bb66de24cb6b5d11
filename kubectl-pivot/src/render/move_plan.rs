//! The plan of a run: what goes from where to where, on half a screen.

use std::collections::BTreeMap;

use support::visible::one_line;
use transfer::{Explained, Operation, Report};

use super::scope::scope;
use super::screen::Screen;

/// Clusters that are named; the others are counted.
const CLUSTERS: usize = 16;

/// Other objects that are named of each reason; the others are counted.
const NAMED: usize = 3;

/// Columns of the words in front of each line.
const HEAD: usize = 9;

/// The plan as text, with `every` object of the lists or the first few.
pub fn move_plan(report: &Report, screen: &Screen, every: bool) -> String {
    let chosen = report.chosen.as_deref();
    let scope = scope(report.namespace.as_deref(), &report.namespaces, chosen);
    let mut text = String::new();
    let mut add = |head: &str, words: &str| text.push_str(&line(screen, head, words));
    add("FROM", &format!("{}, {scope}", one_line(&report.source)));
    add("TO", &one_line(&report.target));
    let action = match report.operation {
        Operation::Move => "MOVE",
        Operation::Backup => "BACK UP",
        Operation::Restore => "RESTORE",
    };
    add(action, &amounts(report));
    add("", &clusters(report, every));
    add("", &kinds(report));
    if !report.holds.is_empty() {
        add("HOLD", &held(report));
    }
    text + &others(report, screen, every)
}

/// The lists of objects that do not simply move, a line for each reason.
pub(super) fn others(report: &Report, screen: &Screen, every: bool) -> String {
    let unmoved: Vec<&Explained> =
        report.not_moved.iter().filter(|explained| every || !is_routine(explained)).collect();
    let lists = [
        ("KEEP", "copied, and kept in the source", report.kept.iter().collect()),
        ("STAY", "not moved", unmoved),
        ("HELD", "still in the source", report.held.iter().collect()),
        (
            "LOSE",
            "deleted by the garbage collector of the source",
            report.collected.iter().collect(),
        ),
    ];
    let mut text = String::new();
    for (head, what, objects) in lists {
        for line in reasons(what, &objects, every) {
            text.push_str(&self::line(screen, head, &line));
        }
    }
    text
}

/// Lines of the report below its first one and of the plan: a word, then a text.
pub(super) fn line(screen: &Screen, head: &str, text: &str) -> String {
    screen.line(&format!("{head:<HEAD$}"), text)
}

/// Says how much moves, for example `8 clusters, 232 objects`.
pub(super) fn amounts(report: &Report) -> String {
    format!("{}, {}", count(report.clusters, "cluster"), count(report.objects(), "object"))
}

fn clusters(report: &Report, every: bool) -> String {
    let is_cluster =
        |kind: &str, api: &str| kind == "Cluster" && api.starts_with("cluster.x-k8s.io/");
    let all = report.moved.iter().filter(|id| is_cluster(&id.kind, &id.api_version));
    let is_one_namespace = report.namespace.is_some();
    let names: Vec<String> = all
        .map(|id| match (&id.namespace, is_one_namespace) {
            (Some(namespace), false) => one_line(&format!("{namespace}/{}", id.name)),
            _ => one_line(&id.name),
        })
        .collect();
    listed(&names, if every { names.len() } else { CLUSTERS }, " ")
}

/// Says whose controllers do nothing for a while.
fn held(report: &Report) -> String {
    let sides: Vec<String> = report.holds.iter().map(ToString::to_string).collect();
    format!(
        "the controllers of {} stand still meanwhile: the pods that lead are deleted, and start \
         again (--hold-controllers)",
        sides.join(" and ")
    )
}

fn kinds(report: &Report) -> String {
    let kinds = report.counts_by_kind.iter().map(|(kind, count)| format!("{count} {kind}"));
    one_line(&kinds.collect::<Vec<_>>().join(", "))
}

/// Objects that are in every cluster by themselves, which nobody expects to move.
fn is_routine(explained: &Explained) -> bool {
    let id = &explained.object;
    let is_of_cluster = id.namespace.as_deref().is_some_and(|name| name.starts_with("kube-"));
    is_of_cluster
        || (id.kind == "ConfigMap" && id.name == "kube-root-ca.crt")
        || (id.kind == "Secret" && id.name.ends_with("-webhook-service-cert"))
}

fn reasons(what: &str, objects: &[&Explained], every: bool) -> Vec<String> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for explained in objects {
        let name = one_line(&explained.object.to_string());
        by_reason.entry(&explained.reason).or_default().push(name);
    }
    let described = by_reason.into_iter().map(|(reason, names)| {
        let named = if every { names.len() } else { NAMED };
        let (amount, reason) = (count(names.len(), "object"), one_line(reason));
        format!("{amount} {what} ({reason}): {}", listed(&names, named, ", "))
    });
    described.collect()
}

/// The first names of a list, and how many more there are.
pub(super) fn listed(names: &[String], shown: usize, between: &str) -> String {
    let first = names.iter().take(shown).cloned().collect::<Vec<_>>().join(between);
    match names.len().saturating_sub(shown) {
        0 => first,
        more => format!("{first} … and {more} more"),
    }
}

/// A number with its noun.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
