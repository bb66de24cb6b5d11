//! Writing: block style, keys in alphabetical order, so that equal values give equal text.
//!
//! Readers of YAML 1.1 take `on`, `1_000`, `0644`, `12:30` or `2026-11-22` for something other than
//! text. So a string is written plainly only if it begins with a letter or a slash, has only
//! harmless characters, and is none of the words that mean something; all others are quoted.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::visible;

/// Words that some reader takes for a boolean, a number or nothing, in any case.
const WORDS: [&str; 12] =
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];

/// One document, without a marker.
pub fn document(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => object(&mut text, map, 0),
        Value::Array(items) if !items.is_empty() => array(&mut text, items, 0),
        other => {
            inline(&mut text, other, 0);
            text.push('\n');
        }
    }
    text
}

/// Several documents, each after a line `---`.
pub fn stream<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    values.into_iter().map(|value| format!("---\n{}", document(value))).collect()
}

fn object(text: &mut String, map: &Map<String, Value>, depth: usize) {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    for (index, (key, value)) in entries.into_iter().enumerate() {
        // The first key of an item of a list stands behind its dash.
        if index > 0 || !text.ends_with("- ") {
            indent(text, depth);
        }
        string(text, key);
        text.push(':');
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                object(text, inner, depth + 1);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                array(text, items, depth);
            }
            other => {
                text.push(' ');
                inline(text, other, depth + 1);
                text.push('\n');
            }
        }
    }
}

fn array(text: &mut String, items: &[Value], depth: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 || !text.ends_with("- ") {
            indent(text, depth);
        }
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => object(text, map, depth + 1),
            Value::Array(inner) if !inner.is_empty() => array(text, inner, depth + 1),
            other => {
                inline(text, other, depth + 1);
                text.push('\n');
            }
        }
    }
}

/// A value that has no lines of its own, or a block of text, without the last line break.
fn inline(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::String(value) => match block(value) {
            Some(marker) => {
                text.push_str(marker);
                for line in value.lines() {
                    text.push('\n');
                    if !line.is_empty() {
                        indent(text, depth.max(1));
                        text.push_str(line);
                    }
                }
            }
            None => string(text, value),
        },
        // Numbers, booleans, null, `[]` and `{}` are written as in JSON.
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n("  ", depth));
}

/// The marker of a block of text in which nothing needs to be escaped.
fn block(value: &str) -> Option<&'static str> {
    let body = value.strip_suffix('\n').unwrap_or(value);
    let is_plain = |line: &str| {
        line.chars().all(|c| is_printable(c) && c != '\u{85}')
            && !line.ends_with(' ')
            && (line.is_empty() || !line.trim().is_empty())
    };
    let mut lines = body.split('\n');
    let starts_well = !body.is_empty() && !body.starts_with([' ', '\n']);
    if !value.contains('\n') || body.ends_with('\n') || !starts_well || !lines.all(is_plain) {
        return None;
    }
    Some(if value.ends_with('\n') { "|" } else { "|-" })
}

fn string(text: &mut String, value: &str) {
    if is_safe(value) {
        text.push_str(value);
        return;
    }
    text.push('"');
    for c in value.chars() {
        let _ = match c {
            '"' | '\\' => write!(text, "\\{c}"),
            '\n' => write!(text, "\\n"),
            '\t' => write!(text, "\\t"),
            '\r' => write!(text, "\\r"),
            c if is_printable(c) => write!(text, "{c}"),
            c if u32::from(c) <= 0xff => write!(text, "\\x{:02x}", u32::from(c)),
            c if u32::from(c) <= 0xffff => write!(text, "\\u{:04x}", u32::from(c)),
            c => write!(text, "\\U{:08x}", u32::from(c)),
        };
    }
    text.push('"');
}

/// Returns true if no reader can take the text for anything else.
fn is_safe(value: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || " -_./@=,()+%$~".contains(c);
    let mut chars = value.chars().peekable();
    let starts_well = chars.peek().is_some_and(|&c| c.is_ascii_alphabetic() || c == '/');
    let mut all_harmless = true;
    while let Some(c) = chars.next() {
        let separates = c == ':' && chars.peek().is_none_or(|&next| next == ' ');
        all_harmless &= harmless(c) || (c == ':' && !separates);
    }
    starts_well
        && all_harmless
        && !value.ends_with(' ')
        && !WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Returns whether readers accept the character as it is and keep it, and terminals show it.
fn is_printable(c: char) -> bool {
    !visible::is_obeyed(c) && !matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
