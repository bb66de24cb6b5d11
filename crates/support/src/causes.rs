//! An error and what caused it, as text.

use std::error::Error;

/// An error with its causes in one line, each once.
#[must_use]
pub fn in_one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    for message in each(error) {
        text.push_str(": ");
        text.push_str(&message);
    }
    text
}

/// The messages of an error's causes, without those that an earlier one has already.
pub fn each(error: &dyn Error) -> Vec<String> {
    let mut shown = error.to_string();
    let mut messages = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let message = cause.to_string();
        if !shown.contains(&message) {
            shown.push_str(&message);
            messages.push(message);
        }
        source = cause.source();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Self>>);

    #[test]
    fn a_cause_that_was_shown_is_not_shown_again() {
        let inner = Layer("refused", None);
        let middle = Layer("cannot connect: refused", Some(Box::new(inner)));
        let outer = Layer("no answer", Some(Box::new(middle)));
        assert_eq!(in_one_line(&outer), "no answer: cannot connect: refused");
    }
}
