//! An error for a person: what, why, and what to do next.

use std::error::Error;

use owo_colors::OwoColorize;

use crate::causes;

/// The text of an error: its message, the chain of its causes, each once, and a hint.
pub fn failure(error: &dyn Error, hint: Option<&str>) -> String {
    let mut text = format!("{} {error}", "error:".red().bold());
    for message in causes::each(error) {
        text.push_str(&format!("\n  caused by: {message}"));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("\n{} {hint}", "hint:".cyan().bold()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_told_once() {
        let error = Outer(std::io::Error::other("inner"));
        let text = anstream::adapter::strip_str(&failure(&error, Some("try this"))).to_string();
        assert_eq!(text, "error: outer\n  caused by: inner\nhint: try this");
    }
}
