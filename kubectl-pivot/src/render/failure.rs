//! An error for a person: what, why, and what to do next.

use std::error::Error;

use owo_colors::OwoColorize;
use support::{causes, visible};

use crate::called;

/// The text of an error: its message, the chain of its causes, each once, and a hint.
pub fn failure(error: &dyn Error, hint: Option<&str>) -> String {
    let shown = |text: &str| visible::indented(text, 4);
    let mut text = format!("{} {}", "error:".red().bold(), shown(&error.to_string()));
    for message in causes::each(error) {
        text.push_str(&format!("\n  caused by: {}", shown(&message)));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("\n{} {}", "hint:".cyan().bold(), shown(hint)));
    }
    called::in_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_shown_once() {
        let error = Outer(std::io::Error::other("inner"));
        let text = anstream::adapter::strip_str(&failure(&error, Some("try this"))).to_string();
        assert_eq!(text, "error: outer\n  caused by: inner\nhint: try this");
    }

    #[test]
    fn no_text_of_others_looks_like_a_line_of_the_program_or_moves_the_cursor() {
        let error = Outer(std::io::Error::other("a\u{1b}[2J\u{1b}[31m\nerror: fake"));
        let text = failure(&error, Some("b\nhint: fake"));
        assert!(text.contains(r"a\u{1b}[2J\u{1b}[31m"), "{text:?}");
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.contains("\n    error: fake") && text.contains("\n    hint: fake"), "{text}");
    }
}
