//! The journal of a run: one file, one line for each event, each with a checksum over itself and
//! all lines before it.
//!
//! For reports and for speed. A run needs none: what cannot be written or read is reported once, and
//! the run continues.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::event::RunEvent;
use super::state::{IllegalEvent, RunState};

/// Version of a line's format. A reader stops at newer ones.
const VERSION: u32 = 1;

/// The reason why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Another process writes it.
    #[error("{} is being written by another process", .0.display())]
    InUse(PathBuf),
    /// A bug of this program.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    version: u32,
    time: Timestamp,
    #[serde(flatten)]
    event: RunEvent,
}

/// What a journal tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// The state after the last good line.
    pub state: RunState,
    /// Number of the first line that is not good; nothing from there on counts.
    pub damaged: Option<usize>,
    /// Bytes and checksum of what is good.
    good: u64,
    sum: String,
}

/// The file of a run's journal.
pub fn path(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.jsonl"))
}

/// Reads the journal of a run; `None` when there is none.
///
/// # Errors
/// When it cannot be read. A damaged one is read up to the damage.
pub fn read(folder: &Path, run: &str) -> Result<Option<Replay>, JournalError> {
    let path = path(folder, run);
    let failed = |source| JournalError::File { path: path.clone(), source };
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    replay(&mut file).map(Some).map_err(failed)
}

fn replay(file: &mut File) -> io::Result<Replay> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut replay = Replay::default();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match parse(line, &replay) {
            Some((state, sum)) => {
                let good = replay.good + line.len() as u64;
                replay = Replay { state, sum, good, damaged: None };
            }
            None => {
                replay.damaged = Some(index + 1);
                break;
            }
        }
    }
    Ok(replay)
}

/// The state and the checksum after a line; `None` when it is torn, damaged, or too new.
fn parse(line: &[u8], before: &Replay) -> Option<(RunState, String)> {
    let mut value: Value = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    let stored = value.as_object_mut()?.remove("checksum")?;
    let sum = checksum(&before.sum, &value);
    if stored.as_str() != Some(&sum) {
        return None;
    }
    let line: Line = serde_json::from_value(value).ok()?;
    if line.version > VERSION {
        return None;
    }
    Some((before.state.clone().after(line.time, &line.event).ok()?, sum))
}

fn checksum(before: &str, value: &Value) -> String {
    let digest = Sha256::new_with_prefix(before).chain_update(value.to_string()).finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Store {
    file: File,
    path: PathBuf,
    replay: Replay,
}

impl Store {
    /// Opens the journal of a run, or begins one. What is damaged at its end is cut off.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn open(folder: &Path, run: &str) -> Result<Self, JournalError> {
        let path = path(folder, run);
        let failed = |source| JournalError::File { path: path.clone(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(&path);
        let mut file = file.map_err(failed)?;
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) => return Err(JournalError::InUse(path)),
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
            Ok(()) => {}
        }
        let replay = replay(&mut file).map_err(failed)?;
        if replay.damaged.is_some() {
            file.set_len(replay.good).map_err(failed)?;
        }
        Ok(Self { file, path, replay })
    }

    /// The state after the last event.
    pub fn state(&self) -> &RunState {
        &self.replay.state
    }

    /// Number of the line from which on an earlier journal was cut off.
    pub fn was_damaged(&self) -> Option<usize> {
        self.replay.damaged
    }

    /// Appends an event; with `sync` it is on the disk when this returns.
    ///
    /// # Errors
    /// When the event cannot happen now, or the file cannot be written.
    pub fn append(&mut self, event: RunEvent, sync: bool) -> Result<(), JournalError> {
        let time = Timestamp::now();
        let state = self.replay.state.clone().after(time, &event)?;
        let line = Line { version: VERSION, time, event };
        let mut value = serde_json::to_value(line).expect("an event has string keys only");
        let sum = checksum(&self.replay.sum, &value);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("checksum".to_owned(), sum.as_str().into());
        }
        let written = self.file.write_all(format!("{value}\n").as_bytes());
        let synced = written.and_then(|()| if sync { self.file.sync_data() } else { Ok(()) });
        synced.map_err(|source| JournalError::File { path: self.path.clone(), source })?;
        self.replay.state = state;
        self.replay.sum = sum;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    fn events() -> Vec<RunEvent> {
        let text = |text: &str| text.to_owned();
        let (run, operation, source, target) = (text("r"), text("move"), text("s"), text("t"));
        vec![
            RunEvent::Begun { run, operation, source, target },
            RunEvent::PhaseStarted { phase: text("copy") },
            RunEvent::Progress { done: 1, total: 2 },
            RunEvent::PhaseEnded { phase: text("copy"), failed: false },
        ]
    }

    fn written() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open(&folder.path().join("runs"), "r").expect("opened");
        events().into_iter().for_each(|event| store.append(event, true).expect("appended"));
        folder
    }

    fn folder(home: &tempfile::TempDir) -> PathBuf {
        home.path().join("runs")
    }

    #[test]
    fn what_was_written_is_read_back_and_private() {
        let home = written();
        let replay = read(&folder(&home), "r").expect("readable").expect("there");
        assert_eq!((replay.damaged, replay.state.phases.len()), (None, 1));
        assert_eq!(read(&folder(&home), "other").expect("readable"), None);
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder(&home)), mode(&path(&folder(&home), "r"))), (0o700, 0o600));
    }

    #[test]
    fn a_second_writer_is_refused() {
        let home = written();
        let _first = Store::open(&folder(&home), "r").expect("opened");
        assert!(matches!(Store::open(&folder(&home), "r"), Err(JournalError::InUse(_))));
    }

    /// Opens a journal that was closed a moment ago. A child that another test starts in that moment holds the lock too,
    /// until it runs its program.
    fn reopened(home: &tempfile::TempDir) -> Store {
        for _ in 0..500 {
            match Store::open(&folder(home), "r") {
                Err(JournalError::InUse(_)) => std::thread::sleep(Duration::from_millis(10)),
                opened => return opened.expect("opened"),
            }
        }
        panic!("the journal stays in use for five seconds")
    }

    /// Cut at every byte: what is read is a beginning of what was written, and can be continued.
    #[test]
    fn a_journal_cut_anywhere_tells_as_much_as_it_can() {
        let home = written();
        let whole = fs::read(path(&folder(&home), "r")).expect("readable");
        for length in 0..whole.len() {
            fs::write(path(&folder(&home), "r"), &whole[..length]).expect("written");
            let replay = read(&folder(&home), "r").expect("readable").expect("there");
            let lines = whole[..length].iter().filter(|byte| **byte == b'\n').count();
            let is_torn = length > 0 && whole[length - 1] != b'\n';
            assert_eq!(replay.damaged, is_torn.then_some(lines + 1), "cut at {length}");
            assert_eq!(replay.state.attempts, usize::from(lines > 0), "cut at {length}");
            let mut store = reopened(&home);
            store.append(events().swap_remove(0), true).expect("continued");
            drop(store);
            let replay = read(&folder(&home), "r").expect("readable").expect("there");
            assert_eq!((replay.damaged, replay.state.attempts), (None, 1 + usize::from(lines > 0)));
        }
    }

    #[test]
    fn a_changed_removed_or_newer_line_ends_the_reading() {
        let home = written();
        let whole = fs::read_to_string(path(&folder(&home), "r")).expect("readable");
        let lines: Vec<&str> = whole.lines().collect();
        let damaged = |text: String| {
            fs::write(path(&folder(&home), "r"), text).expect("written");
            read(&folder(&home), "r").expect("readable").expect("there").damaged
        };
        assert_eq!(damaged(whole.replace("\"done\":1", "\"done\":2")), Some(3));
        assert_eq!(damaged(format!("{}\n{}\n", lines[0], lines[2])), Some(2));
        assert_eq!(damaged(whole.replace("\"version\":1", "\"version\":2")), Some(1));
        assert_eq!(damaged("\u{0}\u{0}".to_owned()), Some(1));
    }
}
