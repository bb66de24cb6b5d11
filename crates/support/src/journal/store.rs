//! The journal of a run: one file, one line for each event, each with a checksum over itself and
//! all lines before it.
//!
//! For reports and for speed. A move needs none: what cannot be written or read is reported once,
//! and the move continues.

use std::error::Error;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use own_files::private;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::state::RunState;
use crate::file_lock::FileLock;

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
    /// A newer version of this program has written it; an older one must not cut it off.
    #[error("{} was written by a newer version of kubectl-pivot", .0.display())]
    Newer(PathBuf),
    /// More than its end is damaged, or it has the format of another program.
    #[error("{} is damaged, or another version of kubectl-pivot has written it", .0.display())]
    Unreadable(PathBuf),
    /// A bug of this program.
    #[error("{0}")]
    Illegal(Box<dyn Error + Send + Sync>),
}

/// The state of a run, as the events of its journal make it.
pub trait History: Clone + Default {
    /// One event.
    type Event: Serialize + DeserializeOwned;

    /// The state after an event.
    ///
    /// # Errors
    /// The event cannot happen in this state.
    fn after(
        self,
        time: Timestamp,
        event: Self::Event,
    ) -> Result<Self, Box<dyn Error + Send + Sync>>;
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Line<E> {
    version: u32,
    time: Timestamp,
    #[serde(flatten)]
    event: E,
}

/// The contents of a journal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay<H> {
    /// The state after the last good line.
    pub state: H,
    /// Number of the first line that is not good; nothing from there on counts.
    pub damaged: Option<usize>,
    is_newer: bool,
    /// True if more than a torn last line does not count.
    is_unreadable: bool,
    /// Bytes and checksum of what is good.
    good: u64,
    sum: String,
}

impl<H> Replay<H> {
    /// Checks that nothing but a torn last line is missing. Only that can be cut off.
    ///
    /// # Errors
    /// [`JournalError::Newer`] and [`JournalError::Unreadable`].
    pub fn check(&self, path: &Path) -> Result<(), JournalError> {
        match (self.is_newer, self.is_unreadable) {
            (true, _) => Err(JournalError::Newer(path.to_owned())),
            (_, true) => Err(JournalError::Unreadable(path.to_owned())),
            _ => Ok(()),
        }
    }
}

/// The file of a run's journal.
pub fn path(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.jsonl"))
}

/// Reads the journal of a run; `None` when there is none.
///
/// # Errors
/// When it cannot be read. A damaged one is read up to the damage.
pub fn read(folder: &Path, run: &str) -> Result<Option<Replay<RunState>>, JournalError> {
    read_file(&path(folder, run))
}

/// Reads a journal; `None` when there is none.
///
/// # Errors
/// When it cannot be read. A damaged one is read up to the damage.
pub fn read_file<H: History>(path: &Path) -> Result<Option<Replay<H>>, JournalError> {
    let failed = |source| JournalError::File { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    replay(&mut file).map(Some).map_err(failed)
}

fn replay<H: History>(file: &mut File) -> io::Result<Replay<H>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut replay = Replay::default();
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match parse(line, &replay) {
            Ok((state, sum)) => {
                let good = replay.good + line.len() as u64;
                replay = Replay { state, sum, good, ..Replay::default() };
            }
            Err(bad) => {
                replay.damaged = Some(index + 1);
                replay.is_newer = bad == Bad::Newer;
                replay.is_unreadable = line.ends_with(b"\n");
                break;
            }
        }
    }
    Ok(replay)
}

/// The reason why a line does not count.
#[derive(PartialEq)]
enum Bad {
    /// It is torn, or was changed.
    Damaged,
    /// This version does not know its format.
    Newer,
}

/// The state and the checksum after a line.
fn parse<H: History>(line: &[u8], before: &Replay<H>) -> Result<(H, String), Bad> {
    let (value, sum) = checked(line, &before.sum).ok_or(Bad::Damaged)?;
    let version = value.get("version").and_then(Value::as_u64);
    if version.is_some_and(|version| version > u64::from(VERSION)) {
        return Err(Bad::Newer);
    }
    let line: Line<H::Event> = serde_json::from_value(value).map_err(|_| Bad::Damaged)?;
    let state = before.state.clone().after(line.time, line.event).map_err(|_| Bad::Damaged)?;
    Ok((state, sum))
}

/// A line without its checksum, which holds, and the checksum.
fn checked(line: &[u8], before: &str) -> Option<(Value, String)> {
    let mut value: Value = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
    let stored = value.as_object_mut()?.remove("checksum")?;
    let sum = checksum(before, &value);
    (stored.as_str() == Some(&sum)).then_some((value, sum))
}

fn checksum(before: &str, value: &Value) -> String {
    let digest = Sha256::new_with_prefix(before).chain_update(value.to_string()).finalize();
    let mut digits = hex::encode(digest);
    digits.truncate(16);
    digits
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Store<H> {
    file: FileLock,
    path: PathBuf,
    replay: Replay<H>,
}

impl Store<RunState> {
    /// Opens the journal of a run in a folder of journals, or begins one. What is damaged at its
    /// end is cut off.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn open(folder: &Path, run: &str) -> Result<Self, JournalError> {
        let path = path(folder, run);
        let created = private::create_missing_folders(folder);
        created.map_err(|source| JournalError::File { path: path.clone(), source })?;
        Self::open_file(path)
    }
}

impl<H: History> Store<H> {
    /// Opens a journal, or begins one. A torn last line is cut off.
    ///
    /// # Errors
    /// When the file cannot be written, a newer version has written it, or another process writes
    /// it.
    pub fn open_file(path: PathBuf) -> Result<Self, JournalError> {
        let failed = |source| JournalError::File { path: path.clone(), source };
        let file = private::open_to_append(&path).map_err(failed)?;
        let Some(mut file) = FileLock::on(file).map_err(failed)? else {
            return Err(JournalError::InUse(path));
        };
        let replay: Replay<H> = replay(file.file_mut()).map_err(failed)?;
        replay.check(&path)?;
        if replay.damaged.is_some() {
            file.file_mut().set_len(replay.good).map_err(failed)?;
        }
        Ok(Self { file, path, replay })
    }

    /// The state after the last event.
    pub fn state(&self) -> &H {
        &self.replay.state
    }

    /// Appends an event; with `sync` it is on the disk when this returns.
    ///
    /// # Errors
    /// When the event cannot happen now, or the file cannot be written.
    pub fn append(&mut self, event: H::Event, sync: bool) -> Result<(), JournalError> {
        let line = Line { version: VERSION, time: Timestamp::now(), event };
        let mut value = serde_json::to_value(&line).expect("an event has string keys only");
        let state = self.replay.state.clone().after(line.time, line.event);
        let state = state.map_err(JournalError::Illegal)?;
        let sum = checksum(&self.replay.sum, &value);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("checksum".to_owned(), sum.as_str().into());
        }
        let text = format!("{value}\n");
        if let Err(source) = self.write(&text, sync) {
            // Half a line would damage all that comes after it.
            let _ = self.file.file_mut().set_len(self.replay.good);
            return Err(JournalError::File { path: self.path.clone(), source });
        }
        self.replay.good += text.len() as u64;
        self.replay.state = state;
        self.replay.sum = sum;
        Ok(())
    }

    fn write(&mut self, text: &str, sync: bool) -> io::Result<()> {
        let file = self.file.file_mut();
        file.write_all(text.as_bytes())?;
        if sync { file.sync_data() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;
    use crate::journal::RunEvent;

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
    fn a_written_journal_is_read_back_and_private() {
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

    /// Opens a journal that was closed a moment ago. A child that another test starts in that
    /// moment holds the lock too, until it runs its program.
    fn reopened(home: &tempfile::TempDir) -> Store<RunState> {
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
    fn a_journal_that_is_damaged_before_its_end_is_not_cut_off() {
        let home = written();
        let path = path(&folder(&home), "r");
        let whole = fs::read_to_string(&path).expect("readable");
        for damaged in [whole.replace("\"done\":1", "\"done\":2"), "\n0011aabb {}\n".to_owned()] {
            fs::write(&path, &damaged).expect("written");
            assert!(matches!(Store::open(&folder(&home), "r"), Err(JournalError::Unreadable(_))));
            assert_eq!(fs::read_to_string(&path).expect("readable"), damaged);
        }
    }

    #[test]
    fn a_journal_of_a_newer_version_is_not_cut_off() {
        let home = tempfile::tempdir().expect("a folder");
        let mut value = serde_json::json!({"version": VERSION + 1, "event": "unheard of"});
        value["checksum"] = checksum("", &value).into();
        fs::write(path(home.path(), "r"), format!("{value}\n")).expect("written");
        assert!(matches!(Store::open(home.path(), "r"), Err(JournalError::Newer(_))));
        let replay = read(home.path(), "r").expect("readable").expect("there");
        assert_eq!(replay.damaged, Some(1));
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
