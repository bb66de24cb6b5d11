//! A text that is shown again whenever it has changed: in place on a terminal, one after the other
//! elsewhere.

use console::{Term, measure_text_width};

use super::print;

/// Shows texts on standard output.
pub struct Live {
    term: Option<Term>,
    rows: usize,
}

impl Live {
    /// In place if standard output is a terminal and `in_place` is wanted.
    pub fn on_stdout(in_place: bool) -> Self {
        let term = Term::stdout();
        Self { term: Some(term).filter(|term| in_place && term.features().is_attended()), rows: 0 }
    }

    /// Replaces what was shown before, or prints below it.
    pub fn show(&mut self, text: &str) {
        if let Some(term) = &self.term {
            // A terminal that cannot do this shows the texts one after the other.
            let _ = term.clear_last_lines(self.rows);
            self.rows = rows(text, term.size().1.into());
        }
        print(text);
    }
}

/// Rows that a text takes on a terminal that is so wide.
fn rows(text: &str, width: usize) -> usize {
    let width = width.max(1);
    text.lines().map(|line| measure_text_width(line).div_ceil(width).max(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_take_several_rows_and_colours_none() {
        assert_eq!(rows("abc\n\n", 80), 2);
        assert_eq!(rows("abcd\nabcde", 4), 3);
        assert_eq!(rows("\u{1b}[1mabcd\u{1b}[0m", 4), 1);
    }
}
