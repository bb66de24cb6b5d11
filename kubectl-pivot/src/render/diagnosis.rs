//! The result of `doctor`, for people.

use std::fmt::Write;

use owo_colors::OwoColorize;

use crate::called;
use crate::commands::{Diagnosis, Health, HealthCheck};

/// Start of the second column.
const INDENT: &str = "                     ";

/// The diagnosis as text: a line for each check, and below it what to do.
pub fn diagnosis(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for check in &diagnosis.checks {
        one(&mut text, check);
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

fn one(text: &mut String, check: &HealthCheck) {
    let sign = match check.health {
        Health::Good => "✔".green().to_string(),
        Health::Warning => "!".yellow().to_string(),
        Health::Problem => "✘".red().to_string(),
        Health::NotApplicable => "-".dimmed().to_string(),
    };
    let found = check.found.replace('\n', &format!("\n{INDENT}"));
    let _ = writeln!(text, "{sign} {:<18} {found}", check.check);
    if let Some(fix) = &check.fix {
        let _ = writeln!(text, "{INDENT}{} {fix}", "fix:".cyan());
    }
}
