//! A plan as a tree, and as a graph for Graphviz.

use std::fmt::Write;

use owo_colors::OwoColorize;
use support::visible::one_line;
use transfer::{MovePlan, PlannedCluster, PlannedFate, SharedObjects, Unit};

use super::findings::findings;
use super::screen::Screen;

/// Objects of a group that are named; the others are counted.
const NAMED: usize = 3;

/// The plan as a tree.
pub fn plan(plan: &MovePlan, screen: &Screen) -> String {
    let mut text = format!("{}\n", one_line(&plan.source));
    for unit in &plan.units {
        branch(&mut text, unit, screen);
    }
    if !plan.shared.is_empty() {
        let _ = writeln!(text, "{}", "belong to no Cluster".bold());
    }
    for shared in &plan.shared {
        let _ = writeln!(text, "  {} {}", fate(shared.fate), one_line(&names(shared)));
        let users = match shared.used_by.as_slice() {
            [] => "nobody".to_owned(),
            users => users.join(", "),
        };
        let _ = writeln!(text, "        used by {}", one_line(&users));
        if let Some(reason) = &shared.reason {
            let _ = writeln!(text, "        {}", one_line(reason));
        }
    }
    if !plan.stays.is_empty() {
        let _ = writeln!(text, "{}", "stay".bold());
    }
    for stays in &plan.stays {
        let _ = writeln!(
            text,
            "  {}: {}",
            one_line(&stays.object.to_string()),
            one_line(&stays.reason)
        );
    }
    text + &findings(&plan.findings, screen, false)
}

fn branch(text: &mut String, unit: &Unit, screen: &Screen) {
    let is_one = unit.clusters.len() == 1;
    if !is_one {
        let by: Vec<String> = unit.tied_by.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{} {}", "only together, by".bold(), one_line(&by.join(", ")));
    }
    let indent = if is_one { "" } else { "  " };
    for cluster in &unit.clusters {
        let moves = if cluster.moves { PlannedFate::Moves } else { PlannedFate::Stays };
        let _ =
            writeln!(text, "{indent}{} Cluster {}", fate(moves), one_line(&cluster.name).bold());
        text.push_str(&screen.line(&format!("{indent}      "), &one_line(&counts(cluster))));
    }
}

fn counts(cluster: &PlannedCluster) -> String {
    let counts = cluster.objects.iter().map(|(kind, count)| format!("{count} {kind}"));
    counts.collect::<Vec<_>>().join(", ")
}

fn names(shared: &SharedObjects) -> String {
    let named: Vec<String> = shared.objects.iter().take(NAMED).map(ToString::to_string).collect();
    match shared.objects.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn fate(fate: PlannedFate) -> &'static str {
    match fate {
        PlannedFate::Moves => "move ",
        PlannedFate::Kept => "copy ",
        PlannedFate::Stays => "stay ",
    }
}

/// The plan in the language of Graphviz: Clusters, and arrows to what they use.
pub fn plan_dot(plan: &MovePlan) -> String {
    let mut text = "digraph plan {\n  rankdir=LR;\n".to_owned();
    for (number, unit) in plan.units.iter().enumerate() {
        let _ = writeln!(text, "  subgraph cluster_{number} {{");
        for cluster in &unit.clusters {
            let style = if cluster.moves { "bold" } else { "dashed" };
            let _ = writeln!(text, "    {} [shape=box style={style}];", quoted(&cluster.name));
        }
        text.push_str("  }\n");
    }
    for shared in &plan.shared {
        let name = quoted(&names(shared));
        let style = if shared.fate == PlannedFate::Stays { "dashed" } else { "solid" };
        let _ = writeln!(text, "  {name} [style={style}];");
        for user in &shared.used_by {
            let _ = writeln!(text, "  {} -> {name};", quoted(user));
        }
    }
    text.push_str("}\n");
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text).replace('\\', "\\\\").replace('"', "\\\""))
}
