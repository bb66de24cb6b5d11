//! The standard error of a program as log.

use std::io::{BufRead as _, BufReader, Read};

/// Bytes of a line that are shown.
const LINE_LIMIT_BYTES: usize = 2000;

/// Lines of one call that are shown; a program that talks on is read, so that it does not block.
const LINE_LIMIT: usize = 200;

/// Sends each line to the log, and returns the last one that says something.
pub(super) fn forward(stream: impl Read, plugin: &str) -> Option<String> {
    let mut stream = BufReader::new(stream);
    let (mut last, mut count) = (None, 0);
    while let Some(line) = next_line(&mut stream) {
        if line.trim().is_empty() {
            continue;
        }
        count += 1;
        match count {
            1..=LINE_LIMIT => tracing::info!(target: "plugin", %plugin, "{line}"),
            _ if count == LINE_LIMIT + 1 => {
                tracing::warn!(target: "plugin", %plugin, "further lines are not shown");
            }
            _ => {}
        }
        last = Some(line);
    }
    last
}

/// The next line; no more of it is kept than is shown. The caller makes it safe for a terminal.
fn next_line(stream: &mut BufReader<impl Read>) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let chunk = match stream.fill_buf() {
            Ok([]) | Err(_) if line.is_empty() => return None,
            Ok([]) | Err(_) => break,
            Ok(chunk) => chunk,
        };
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let text = &chunk[..end.unwrap_or(chunk.len())];
        let room = LINE_LIMIT_BYTES.saturating_sub(line.len());
        line.extend_from_slice(&text[..text.len().min(room)]);
        let used = end.map_or(chunk.len(), |end| end + 1);
        stream.consume(used);
        if end.is_some() {
            break;
        }
    }
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_the_last_one_is_kept() {
        let text = format!("one\n\n{}\nlast\r\n \n", "x".repeat(3 * LINE_LIMIT_BYTES));
        let mut stream = BufReader::with_capacity(7, text.as_bytes());
        let lines: Vec<_> = std::iter::from_fn(|| next_line(&mut stream)).collect();
        assert_eq!(lines, ["one", "", &"x".repeat(LINE_LIMIT_BYTES), "last", ""]);
        assert_eq!(forward(text.as_bytes(), "p").as_deref(), Some("last"));
        assert_eq!(forward(&b"no end"[..], "p").as_deref(), Some("no end"));
        assert_eq!(forward(&b""[..], "p"), None);
    }
}
