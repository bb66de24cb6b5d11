//! The result of `doctor`, for people.

use std::fmt::Write;

use owo_colors::OwoColorize;

use super::Screen;
use crate::called;
use crate::commands::{Diagnosis, Health, HealthCheck};

/// Start of the second column.
const INDENT: &str = "                     ";

/// Returns the diagnosis as text: each check, and below it the fix.
pub fn diagnosis(diagnosis: &Diagnosis, screen: &Screen) -> String {
    let mut text = String::new();
    for check in &diagnosis.checks {
        one(&mut text, check, screen);
    }
    let count = |health, word: &str| match diagnosis.count(health) {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    let problems = count(Health::Problem, "problem");
    let warnings = count(Health::Warning, "warning");
    let _ = writeln!(text, "\n{problems}, {warnings}");
    called::in_text(&text)
}

fn one(text: &mut String, check: &HealthCheck, screen: &Screen) {
    let sign = match check.health {
        Health::Good => "✔".green().to_string(),
        Health::Warning => "!".yellow().to_string(),
        Health::Problem => "✘".red().to_string(),
        Health::NotApplicable => "-".dimmed().to_string(),
    };
    let head = format!("{sign} {:<18} ", check.check);
    let heads = std::iter::once(head.as_str()).chain(std::iter::repeat(INDENT));
    for (head, line) in heads.zip(check.found.lines()) {
        text.push_str(&screen.line(head, line));
    }
    if let Some(fix) = &check.fix {
        text.push_str(&screen.line(&format!("{INDENT}{} ", "fix:".cyan()), fix));
    }
}
