//! The ends of log files.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// The last few lines of a log file, joined by ` | `; a placeholder if there are none.
pub(super) fn tail(path: &Path, lines: usize) -> String {
    let text = read_end(path, 8 * 1024).unwrap_or_default();
    let tail = last_lines(&text, lines);
    if tail.is_empty() { "its log is empty".into() } else { tail }
}

/// The last non-empty lines of a text, joined by ` | `.
pub(super) fn last_lines(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join(" | ")
}

fn read_end(path: &Path, bytes: u64) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}
