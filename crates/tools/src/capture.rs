//! Reading what a program prints: line by line, into a log, with bounded memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use support::journal::Events;
use support::redact::{Lines, Redactor};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Lines that are kept for errors.
const TAIL: usize = 12;
/// Bytes of a line that are kept; some programs print whole documents in one.
const LINE: usize = 2000;
/// Bytes of standard output that are kept.
pub(super) const LIMIT: usize = 8 << 20;

/// The log file of a call, shared by both streams.
#[derive(Clone)]
pub(super) struct Log(Option<Arc<Mutex<File>>>);

impl Log {
    pub(super) fn new(file: Option<File>) -> Self {
        Self(file.map(|file| Arc::new(Mutex::new(file))))
    }

    pub(super) fn line(&self, line: &str) {
        let Some(file) = &self.0 else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, "a log file of a program cannot be written");
        }
    }
}

/// The contents of a stream at its end.
#[derive(Debug, Default)]
pub(super) struct Captured {
    /// All of it, if it was to be kept.
    pub(super) text: Vec<u8>,
    /// True if there was more than [`LIMIT`].
    pub(super) is_too_much: bool,
    /// The last lines without secrets.
    pub(super) tail: VecDeque<String>,
}

/// Receives the lines of a stream.
pub(super) struct Sink<'a> {
    pub(super) log: Log,
    pub(super) redactor: &'a Redactor,
    pub(super) events: &'a Events,
    /// True if all of it is wanted, which may be a kubeconfig.
    pub(super) keep: bool,
    /// True if its lines tell how far the program is.
    pub(super) show: bool,
}

/// Reads a stream to its end.
pub(super) async fn read(
    mut stream: impl AsyncRead + Unpin,
    sink: Sink<'_>,
    captured: &Mutex<Captured>,
) -> io::Result<()> {
    let mut lines = Lines::new(sink.redactor);
    let mut buffer = vec![0; 16 * 1024];
    let mut line: Vec<u8> = Vec::new();
    loop {
        let count = stream.read(&mut buffer).await?;
        let chunk = &buffer[..count];
        if sink.keep {
            keep(chunk, captured);
        }
        for byte in chunk {
            match byte {
                b'\n' | b'\r' => {
                    take(&mut line, &mut lines, &sink, captured);
                }
                _ if line.len() < LINE => line.push(*byte),
                _ => {}
            }
        }
        if count == 0 {
            take(&mut line, &mut lines, &sink, captured);
            return Ok(());
        }
    }
}

fn keep(chunk: &[u8], captured: &Mutex<Captured>) {
    let mut captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
    let room = LIMIT.saturating_sub(captured.text.len());
    captured.is_too_much |= chunk.len() > room;
    captured.text.extend_from_slice(&chunk[..chunk.len().min(room)]);
}

/// One whole line: without colours, without secrets, to the log, to progress, into the tail.
fn take(line: &mut Vec<u8>, lines: &mut Lines<'_>, sink: &Sink<'_>, captured: &Mutex<Captured>) {
    let text = String::from_utf8_lossy(line);
    let text = anstream::adapter::strip_str(&text).to_string();
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    line.clear();
    let Some(text) = lines.clean(text.trim_end()) else { return };
    if text.trim().is_empty() {
        return;
    }
    sink.log.line(&text);
    if sink.show {
        sink.events.doing(text.trim());
    }
    let mut captured = captured.lock().unwrap_or_else(PoisonError::into_inner);
    if captured.tail.len() == TAIL {
        captured.tail.pop_front();
    }
    captured.tail.push_back(text);
}
