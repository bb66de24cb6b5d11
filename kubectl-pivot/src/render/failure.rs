//! An error for a person: what, why, and what to do next.

use std::error::Error;

use owo_colors::OwoColorize;
use support::{causes, visible};

use super::Screen;
use crate::called;

/// Returns the text of an error: its message, the chain of its causes, each once, and a hint.
pub fn failure(error: &dyn Error, hint: Option<&str>, screen: &Screen) -> String {
    let mut text = part(&format!("{} ", "error:".red().bold()), &error.to_string(), screen);
    for message in causes::each(error) {
        text.push_str(&part("  caused by: ", &message, screen));
    }
    if let Some(hint) = hint {
        text.push_str(&part(&format!("{} ", "hint:".cyan().bold()), hint, screen));
    }
    text.trim_end().to_owned()
}

/// Breaks each line of a text of others at words. Its further lines are indented, so that none
/// looks like a line of this program.
fn part(head: &str, text: &str, screen: &Screen) -> String {
    let text = called::in_text(&visible::indented(text, 0));
    let mut lines = text.lines();
    let first = screen.line(head, lines.next().unwrap_or_default());
    lines.fold(first, |all, line| all + &screen.line(INDENT, line))
}

/// Stands before further lines of a message.
const INDENT: &str = "    ";

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Screen = Screen { columns: usize::MAX, is_utf8: true };

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_shown_once() {
        let error = Outer(std::io::Error::other("inner"));
        let text =
            anstream::adapter::strip_str(&failure(&error, Some("try this"), &WIDE)).to_string();
        assert_eq!(text, "error: outer\n  caused by: inner\nhint: try this");
    }

    #[test]
    fn no_text_of_others_looks_like_a_line_of_the_program_or_moves_the_cursor() {
        let error = Outer(std::io::Error::other("a\u{1b}[2J\u{1b}[31m\nerror: fake"));
        let text = failure(&error, Some("b\nhint: fake"), &WIDE);
        assert!(text.contains(r"a\u{1b}[2J\u{1b}[31m"), "{text:?}");
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.contains("\n    error: fake") && text.contains("\n    hint: fake"), "{text}");
    }
}
