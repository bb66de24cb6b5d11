//! Explanations of findings, for people.

use std::fmt::Write;

use owo_colors::OwoColorize;

use crate::commands::Explanation;

/// Columns that a text fills, as the help does.
const WIDTH: usize = 80;

/// One rule: its meaning, the fix, the reason.
pub fn explanation(explanation: &Explanation) -> String {
    let Explanation { rule, severity, meaning, fix, why } = explanation;
    let mut text = format!("{} ({severity})\n", rule.bold());
    for (title, words) in [("Meaning", meaning), ("Fix", fix), ("Why the move checks it", why)] {
        let _ = write!(text, "\n{}\n{}", title.bold(), wrapped(words, "  "));
    }
    text
}

/// All rules, each with its meaning.
pub fn explanations(all: &[Explanation]) -> String {
    let mut text = String::new();
    for Explanation { rule, severity, meaning, .. } in all {
        let _ = write!(text, "{} ({severity})\n{}", rule.bold(), wrapped(meaning, "  "));
    }
    text.push_str("\nkubectl pivot explain RULE prints how to fix one.\n");
    text
}

/// Breaks a text at words, each line behind the indent.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH && line != indent {
            lines.push_str(&line);
            lines.push('\n');
            line = indent.to_owned();
        }
        if line != indent {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands;

    #[test]
    fn one_rule_fits_a_terminal_of_80_columns() {
        let rule = commands::explanations().iter().find(|one| one.rule == "Refused");
        let text = explanation(rule.expect("the rule is there"));
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            text,
            "Refused (error)

Meaning
  The target refuses the object in a server-side dry-run.

Fix
  Look at the webhook, policy, quota or schema that the message names, in the
  target. `--preflight=off` leaves the rehearsal out.

Why the move checks it
  The real create would fail as well, in the middle of the move.
"
        );
        let all = anstream::adapter::strip_str(&explanations(commands::explanations())).to_string();
        assert!(all.lines().all(|line| line.chars().count() <= WIDTH), "{all}");
    }
}
