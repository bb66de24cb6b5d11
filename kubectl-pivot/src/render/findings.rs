//! Findings for people: errors first, and findings of one rule together.

use std::fmt::Write;

use owo_colors::OwoColorize;
use support::visible::{indented, one_line};
use transfer::{Finding, Severity};

use super::screen::Screen;

/// Findings of a rule that are shown one by one; the rest is counted.
const SHOWN: usize = 5;

/// A finding that makes all others meaningless.
const ALONE: &str = "SameCluster";

/// The findings as text, with `every` one of them or the first few of each rule.
pub fn findings(findings: &[Finding], screen: &Screen, every: bool) -> String {
    let mut text = String::new();
    let groups = groups(findings);
    for group in &groups {
        describe(&mut text, group, screen, every);
    }
    if let Some(first) = groups.first().and_then(|group| group.first()) {
        let rule = if groups.len() == 1 { first.rule } else { "RULE" };
        let _ = writeln!(text, "More about a finding: kubectl pivot explain {rule}\n");
    }
    text
}

/// Findings of the same rule about the same cluster, errors before warnings.
fn groups(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let is_alone = findings.iter().any(|finding| finding.rule == ALONE);
    for finding in findings.iter().filter(|finding| !is_alone || finding.rule == ALONE) {
        let key = |finding: &Finding| (finding.severity, finding.rule, finding.cluster);
        let same = groups.iter_mut().find(|group| key(group[0]) == key(finding));
        match same {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups.sort_by_key(|group| group[0].severity);
    groups
}

fn describe(text: &mut String, group: &[&Finding], screen: &Screen, every: bool) {
    let first = group[0];
    let tag = match first.severity {
        Severity::Error => "error:".red().bold().to_string(),
        Severity::Warning => "warning:".yellow().bold().to_string(),
    };
    let (cluster, rule) = (first.cluster, first.rule);
    let shown = |text: &str| indented(text, 4);
    let hint = |finding: &Finding| format!("  {} {}\n", "hint:".cyan(), shown(&finding.hint));
    let is_shared = group.iter().all(|finding| finding.hint == first.hint);
    if let [only] = group {
        let head = format!("{tag} {cluster} cluster: ");
        let _ = writeln!(text, "{head}{} [{rule}]", shown(&only.message));
    } else {
        let _ = writeln!(text, "{tag} {cluster} cluster: {} findings [{rule}]", group.len());
        let count = if every { group.len() } else { SHOWN };
        for finding in group.iter().take(count) {
            text.push_str(&screen.line("  ", &one_line(&finding.message)));
            if !is_shared {
                text.push_str(&hint(finding));
            }
        }
        if group.len() > count {
            let _ = writeln!(text, "  … and {} more (-v shows all)", group.len() - count);
        }
    }
    if is_shared {
        text.push_str(&hint(first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, rule: &'static str, message: &str, hint: &str) -> Finding {
        Finding {
            severity,
            rule,
            cluster: "source",
            object: None,
            objects: Vec::new(),
            message: message.to_owned(),
            hint: hint.to_owned(),
        }
    }

    fn shown(all: &[Finding], every: bool) -> String {
        let screen = Screen { columns: 80, is_utf8: true };
        anstream::adapter::strip_str(&findings(all, &screen, every)).to_string()
    }

    #[test]
    fn findings_of_a_rule_are_one_group_and_errors_come_first() {
        let wait = "wait until it is provisioned";
        let mut all = vec![finding(Severity::Warning, "Managed", "Flux manages it", "suspend it")];
        for number in 0..7 {
            let message = format!("Machine ns/m{number}: its Node has not joined yet");
            all.push(finding(Severity::Error, "NotProvisioned", &message, wait));
        }
        assert_eq!(
            shown(&all, false),
            "error: source cluster: 7 findings [NotProvisioned]
  Machine ns/m0: its Node has not joined yet
  Machine ns/m1: its Node has not joined yet
  Machine ns/m2: its Node has not joined yet
  Machine ns/m3: its Node has not joined yet
  Machine ns/m4: its Node has not joined yet
  … and 2 more (-v shows all)
  hint: wait until it is provisioned
warning: source cluster: Flux manages it [Managed]
  hint: suspend it
More about a finding: kubectl pivot explain RULE

"
        );
        assert!(shown(&all, true).contains("ns/m6"));
    }

    #[test]
    fn the_same_cluster_twice_is_the_only_finding_that_counts() {
        let all = [
            finding(Severity::Error, "AlreadyExists", "Cluster a", "delete it"),
            finding(Severity::Error, "SameCluster", "it is the source cluster itself", "check"),
        ];
        let text = shown(&all, false);
        assert!(text.contains("explain SameCluster") && !text.contains("AlreadyExists"), "{text}");
    }
}
