//! The place where people read a text: its width, and whether it shows more than ASCII.

use std::sync::LazyLock;

use console::{Term, measure_text_width};

/// The longest line of a text on a terminal; longer ones are hard to read.
const LONGEST_LINE: usize = 120;

/// Symbols of this program, and the text for a screen without them.
const SYMBOLS: [(&str, &str); 6] =
    [("✔", "+"), ("✘", "x"), ("…", "..."), ("→", "->"), ("•", "*"), ("·", "-")];

/// A screen, or a file or pipe in its place.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// The longest line; without a terminal no line is broken, so that `grep` finds all of it.
    pub columns: usize,
    /// True if it shows more than ASCII.
    pub is_utf8: bool,
}

static IS_UTF8: LazyLock<bool> = LazyLock::new(|| {
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    // The first one that is set decides (POSIX, "Environment Variables").
    let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(set);
    names_utf8(&name.and_then(|name| std::env::var(name).ok()).unwrap_or_default())
});

fn names_utf8(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

impl Screen {
    /// Returns the screen of results.
    pub fn of_stdout() -> Self {
        Self::of(&Term::stdout())
    }

    /// Returns the screen of progress, questions and errors.
    pub fn of_stderr() -> Self {
        Self::of(&Term::stderr())
    }

    fn of(term: &Term) -> Self {
        let columns = match term.features().is_attended() {
            true => usize::from(term.size().1).clamp(40, LONGEST_LINE),
            false => usize::MAX,
        };
        Self { columns, is_utf8: *IS_UTF8 }
    }

    /// Returns the text with symbols that this screen shows.
    pub fn fit(&self, text: &str) -> String {
        if self.is_utf8 {
            return text.to_owned();
        }
        SYMBOLS.iter().fold(text.to_owned(), |text, (symbol, ascii)| text.replace(symbol, ascii))
    }

    /// Returns a line that is broken at words, with `head` in front of it and the further lines
    /// below its text.
    pub fn line(&self, head: &str, text: &str) -> String {
        wrapped(head, text, self.columns)
    }
}

/// Breaks a text at words. The first line begins with `head`, the others with as many spaces. A
/// command in backticks stays on one line, so that it can be copied.
pub(super) fn wrapped(head: &str, text: &str, columns: usize) -> String {
    // A text that fits stays as it is, with the spaces in it.
    if measure_text_width(head) + measure_text_width(text) <= columns {
        return format!("{head}{text}").trim_end().to_owned() + "\n";
    }
    let indent = " ".repeat(measure_text_width(head));
    let mut lines = String::new();
    let mut line = head.to_owned();
    let mut is_empty = true;
    for word in words(text) {
        if !is_empty && measure_text_width(&line) + 1 + measure_text_width(&word) > columns {
            lines.push_str(&line);
            lines.push('\n');
            line.clone_from(&indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines + line.trim_end() + "\n"
}

/// Returns the words of a text; what stands between two backticks belongs to one of them.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match words.last_mut().filter(|_| is_open) {
            Some(last) => *last = format!("{last} {word}"),
            None => words.push(word.to_owned()),
        }
        if word.matches('`').count() % 2 == 1 {
            is_open = !is_open;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_words_below_their_text() {
        assert_eq!(wrapped("MOVE  ", "one two three", 14), "MOVE  one two\n      three\n");
        assert_eq!(wrapped("A  ", "longer-than-it", 8), "A  longer-than-it\n");
        assert_eq!(wrapped("A  ", "", 8), "A\n");
        assert_eq!(wrapped("", "see `a b c`, or d", 8), "see\n`a b c`,\nor d\n");
    }

    #[test]
    fn a_screen_without_utf_8_gets_ascii() {
        let screen = Screen { columns: 80, is_utf8: false };
        let text = screen.fit("✔ a → b …");
        assert!(text.is_ascii() && text == "+ a -> b ...", "{text}");
        assert!(names_utf8("de_DE.UTF-8") && names_utf8("C.utf8"));
        assert!(!names_utf8("C") && !names_utf8("") && !names_utf8("de_DE"));
    }
}
