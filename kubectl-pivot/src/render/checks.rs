//! The result of a verification for people.

use std::fmt::Write;

use owo_colors::OwoColorize;
use support::visible::one_line;
use transfer::Check;

use super::Screen;

/// Violations shown of each rule.
const SHOWN: usize = 10;

/// Returns the checks as text.
pub fn checks(checks: &[Check], screen: &Screen) -> String {
    let mut text = String::new();
    for check in checks {
        let sign = if check.holds() { "✔".green().to_string() } else { "✘".red().to_string() };
        text.push_str(
            &screen.line(&format!("{sign} "), &format!("{} [{}]", check.says, check.rule)),
        );
        for violation in check.violations.iter().take(SHOWN) {
            text.push_str(&screen.line("    ", &one_line(violation)));
        }
        if check.violations.len() > SHOWN {
            let _ = writeln!(
                text,
                "    … and {} more (all of them with -o json)",
                check.violations.len() - SHOWN
            );
        }
    }
    text + &screen.line("", &summary(checks))
}

fn summary(checks: &[Check]) -> String {
    let failed = checks.iter().filter(|check| !check.holds()).count();
    let all = checks.len();
    match failed {
        0 => format!("All {all} checks hold."),
        _ => format!(
            "{failed} of {all} checks failed. After a move the controllers of the target may need \
             minutes: `--timeout 5m` waits for them."
        ),
    }
}
