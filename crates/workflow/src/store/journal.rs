//! The journal: lines of JSON that are only ever appended, each with a checksum.
//!
//! A line is `CHECKSUM JSON`. A torn last line, as a power cut leaves it, is passed over; so is any
//! other line whose checksum does not fit.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::order::Step;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, RFC 3339.
    pub time: String,
    /// The event.
    #[serde(flatten)]
    pub what: What,
}

/// Events of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum What {
    /// The run began, or began again.
    Began {
        /// Process id.
        pid: u32,
    },
    /// A step began.
    Started {
        /// The step.
        step: Step,
    },
    /// A step has ended well.
    Done {
        /// The step.
        step: Step,
        /// One line of result.
        summary: String,
    },
    /// A step has failed.
    Failed {
        /// The step.
        step: Step,
        /// The cause.
        error: String,
    },
    /// The run has ended well.
    Finished,
}

pub(super) fn append(file: &Path, what: What) -> io::Result<()> {
    let entry = Entry { time: jiff::Timestamp::now().to_string(), what };
    let json = serde_json::to_string(&entry)?;
    let mut file =
        OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(file)?;
    // A torn line must not swallow this one.
    file.write_all(format!("\n{} {json}\n", checksum(&json)).as_bytes())?;
    file.sync_data()
}

pub(super) fn read(file: &Path) -> io::Result<Vec<Entry>> {
    let bytes = match std::fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter_map(parse).collect())
}

fn parse(line: &str) -> Option<Entry> {
    let (sum, json) = line.split_once(' ')?;
    if sum != checksum(json) {
        return None;
    }
    serde_json::from_str(json).ok()
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_torn_neighbours() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("journal");
        let step = Step::Bootstrap;
        append(&file, What::Began { pid: 1 }).expect("written");
        append(&file, What::Started { step }).expect("written");
        let whole = std::fs::read_to_string(&file).expect("read");
        // Cut anywhere in the last line, and go on.
        let last = whole.trim_end().rfind('\n').expect("two lines") + 1;
        for cut in last..whole.len() - 1 {
            std::fs::write(&file, &whole[..cut]).expect("written");
            append(&file, What::Finished).expect("written");
            let found: Vec<_> = read(&file).expect("read").into_iter().map(|e| e.what).collect();
            assert_eq!(found, [What::Began { pid: 1 }, What::Finished], "cut at {cut}");
        }
        std::fs::write(&file, whole.replace("started", "stopped")).expect("written");
        assert_eq!(read(&file).expect("read").len(), 1, "a changed line is passed over");
    }
}
