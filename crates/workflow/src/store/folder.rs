//! The folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use capi::valid;
use own_files::private;
use serde_json::Value;
use support::file_lock::FileLock;
use support::journal::{self, JournalError, Store, read_file};
use support::yaml;

use super::journal::{Entries, JournalEvent};
use super::state::{RunState, StepState};
use crate::document::{
    DocumentError, KeptBootstrap, PivotDocument, read_bootstrap, read_document, write_document,
};
use crate::order::Step;

/// Errors of a run's folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no place for it.
    #[error("there is no folder for runs: neither KUBECTL_PIVOT_STATE_DIR nor HOME is set")]
    NoPlace,
    /// Another process is at it.
    #[error("another process works on the run `{0}`")]
    Busy(String),
    /// There is no such run.
    #[error("there is no run `{0}` on this machine")]
    Unknown(String),
    /// There is no such deletion.
    #[error("no deletion of `{0}` was started on this machine")]
    NoDeletion(String),
    /// A deletion has to wait for the end of the run that creates the cluster.
    #[error("the run of create `{0}` is not finished")]
    Unfinished(String),
    /// A run of this name wants something else.
    #[error("a run `{0}` with other settings exists already")]
    Different(String),
    /// The settings could not be read back, so that the run could be neither resumed nor aborted.
    #[error("cannot save the settings of the run `{name}`: {why}")]
    Unwritable {
        /// Name of the run.
        name: String,
        /// The problem.
        why: String,
    },
    /// The settings in the folder cannot be parsed.
    #[error("cannot read the settings of the run `{name}`")]
    Document {
        /// Name of the run.
        name: String,
        /// The cause, which names the file.
        source: DocumentError,
    },
    /// The journal cannot be continued.
    #[error("cannot continue the journal of the run")]
    Journal(#[source] JournalError),
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// Returns the next step for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::NoPlace => "set KUBECTL_PIVOT_STATE_DIR to a folder of yours".to_owned(),
            Self::Busy(name) => format!("wait for it; `kubectl pivot status {name}` shows it"),
            Self::Unknown(_) => "`kubectl pivot status --all` lists the runs".to_owned(),
            Self::NoDeletion(name) => {
                format!("`kubectl pivot delete {name} --dry-run` shows what a new one would do")
            }
            Self::Unfinished(name) => format!(
                "`kubectl pivot resume {name}` finishes it, `kubectl pivot abort {name}` removes \
                 what it has created"
            ),
            Self::Different(name) => format!(
                "`kubectl pivot resume {name}` continues it with its own settings, `kubectl pivot \
                 abort {name}` removes it"
            ),
            Self::Document { .. } | Self::Journal(_) => {
                "another version of kubectl-pivot may have written it: continue with that one"
                    .to_owned()
            }
            Self::Unwritable { .. } => {
                "change the setting that is named; nothing was created".to_owned()
            }
            Self::File { .. } => {
                "check permissions and free space, or set KUBECTL_PIVOT_STATE_DIR".to_owned()
            }
        }
    }
}

/// The folder of a run, held by this process.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    name: String,
    /// Opened with the first event.
    journal: Mutex<Option<Store<Entries>>>,
    #[expect(dead_code, reason = "held for its lock")]
    lock: FileLock,
}

impl RunFolder {
    /// The folder of a new run, or of an unfinished one that wants the same.
    ///
    /// # Errors
    /// Another process has it, or the run of this name wants something else.
    pub fn begin(name: &str, document: &PivotDocument) -> Result<Self, StoreError> {
        let text = write_document(document)
            .map_err(|why| StoreError::Unwritable { name: name.to_owned(), why })?;
        let folder = Self::hold(name)?;
        let file = folder.document_file();
        if file.exists() {
            // As long as nothing was created, another try may want something else.
            let state = folder.state()?;
            let has_begun = *state.of(Step::Bootstrap) != StepState::Waiting;
            let is_done = |step| state.of(step).is_done();
            if has_begun && !folder.document()?.wants_what(document, is_done) {
                return Err(StoreError::Different(name.to_owned()));
            }
        }
        private::write(&file, text).map_err(at(&file))?;
        Ok(folder)
    }

    /// The folder of a deletion, beside those of the runs.
    ///
    /// # Errors
    /// Another process has it.
    pub(crate) fn begin_removal(name: &str) -> Result<Self, StoreError> {
        Self::hold_in(name, DELETIONS)
    }

    /// The folder of a deletion that was begun before.
    ///
    /// # Errors
    /// There is none, or another process has it.
    pub fn open_removal(name: &str) -> Result<Self, StoreError> {
        if !valid::is_label(name) || !state_folder()?.join(DELETIONS).join(name).exists() {
            return Err(StoreError::NoDeletion(name.to_owned()));
        }
        Self::hold_in(name, DELETIONS)
    }

    /// The folder of a run that was begun before.
    ///
    /// # Errors
    /// There is none, or another process has it.
    pub fn open(name: &str) -> Result<Self, StoreError> {
        if !valid::is_label(name) || !place()?.join(name).join(DOCUMENT).exists() {
            return Err(StoreError::Unknown(name.to_owned()));
        }
        Self::hold(name)
    }

    fn hold(name: &str) -> Result<Self, StoreError> {
        Self::hold_in(name, RUNS)
    }

    fn hold_in(name: &str, folder: &str) -> Result<Self, StoreError> {
        let path = state_folder()?.join(folder).join(name);
        let logs = path.join("logs");
        private::create_folder(&path).map_err(at(&path))?;
        private::create_folder(&logs).map_err(at(&logs))?;
        let file = path.join("lock");
        let lock = FileLock::acquire_patiently(&file).map_err(at(&file))?;
        let lock = lock.ok_or_else(|| StoreError::Busy(name.to_owned()))?;
        Ok(Self { path, name: name.to_owned(), journal: Mutex::default(), lock })
    }

    /// Name of the run.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The log file of a step.
    pub fn log(&self, step: &str) -> PathBuf {
        self.path.join("logs").join(format!("{step}.log"))
    }

    /// Reads the settings.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn document(&self) -> Result<PivotDocument, StoreError> {
        self.of_document(read_document(&self.document_file()))
    }

    /// Writes a file that may hold secrets.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf, StoreError> {
        let file = self.file(name);
        private::write(&file, content).map_err(at(&file))?;
        Ok(file)
    }

    /// Writes a document as YAML.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write_yaml(&self, name: &str, document: &Value) -> Result<PathBuf, StoreError> {
        self.write(name, yaml::document(document))
    }

    /// Adds to the journal, for good when this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&self, what: JournalEvent) -> Result<(), StoreError> {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match journal.take() {
            Some(store) => store,
            None => Store::open_file(self.journal_file()).map_err(of_journal)?,
        };
        journal.insert(store).append(what, true).map_err(of_journal)
    }

    /// Reads the state of the run.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn state(&self) -> Result<RunState, StoreError> {
        read_state(&self.path, &self.name)
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn discard(&self, name: &str) -> Result<(), StoreError> {
        let file = self.file(name);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&file)(error)),
            _ => Ok(()),
        }
    }

    /// Removes all that was noted, for a beginning; logs stay.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn clear(&self) -> Result<(), StoreError> {
        *self.journal.lock().unwrap_or_else(PoisonError::into_inner) = None;
        for entry in fs::read_dir(&self.path).map_err(at(&self.path))? {
            let file = entry.map_err(at(&self.path))?.path();
            if file.is_file() && !file.ends_with("lock") {
                fs::remove_file(&file).map_err(at(&file))?;
            }
        }
        Ok(())
    }

    /// Reads where the bootstrap cluster is, and nothing else.
    ///
    /// # Errors
    /// The settings cannot be read.
    pub fn bootstrap(&self) -> Result<KeptBootstrap, StoreError> {
        self.of_document(read_bootstrap(&self.document_file(), &self.name))
    }

    /// Forgets the run. A process that is killed in between leaves no half of a folder under the
    /// run's name.
    ///
    /// # Errors
    /// The folder cannot be removed.
    pub fn remove(self) -> Result<(), StoreError> {
        let old = self.path.with_file_name(format!(".{}.removed", self.name));
        remove_all(&old)?;
        fs::rename(&self.path, &old).map_err(at(&self.path))?;
        remove_all(&old)
    }

    fn of_document<T>(&self, read: Result<T, DocumentError>) -> Result<T, StoreError> {
        read.map_err(|source| match source {
            DocumentError::Read { path, source } => {
                StoreError::File { path, source: source.into() }
            }
            source => StoreError::Document { name: self.name.clone(), source },
        })
    }

    fn document_file(&self) -> PathBuf {
        self.file(DOCUMENT)
    }

    fn journal_file(&self) -> PathBuf {
        self.file(JOURNAL)
    }
}

const DOCUMENT: &str = "pivot.yaml";
const RUNS: &str = "runs";
const DELETIONS: &str = "deletions";
const JOURNAL: &str = "journal.jsonl";

/// The state of every run of this user, by name. Takes no lock, so it works while they run.
///
/// # Errors
/// The folder of runs cannot be read.
pub fn runs() -> Result<Vec<RunState>, StoreError> {
    let place = place()?;
    let entries = match fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(&place)(error)),
    };
    let mut states = Vec::new();
    for entry in entries {
        let path = entry.map_err(at(&place))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if valid::is_label(&name) && path.join(DOCUMENT).exists() {
            states.push(read_state(&path, &name)?);
        }
    }
    states.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(states)
}

/// The folder and the settings of a run of this user.
///
/// # Errors
/// They cannot be read.
pub fn kept_run(name: &str) -> Result<Option<(PathBuf, PivotDocument)>, StoreError> {
    let folder = place()?.join(name);
    let file = folder.join(DOCUMENT);
    if !file.exists() {
        return Ok(None);
    }
    let document = read_document(&file)
        .map_err(|source| StoreError::Document { name: name.to_owned(), source })?;
    Ok(Some((folder, document)))
}

/// Reads a file from the folder of a run that has applied its cluster; none if it has not, or if
/// there is no such file.
pub(crate) fn kept_since_applied(name: &str, file: &str) -> Result<Option<Vec<u8>>, StoreError> {
    if !valid::is_label(name) {
        return Ok(None);
    }
    let path = place()?.join(name);
    let has_applied = path.exists() && read_state(&path, name)?.has_applied();
    Ok(has_applied.then(|| fs::read(path.join(file)).ok()).flatten())
}

fn read_state(path: &Path, name: &str) -> Result<RunState, StoreError> {
    let file = path.join(JOURNAL);
    let replay = read_file::<Entries>(&file).map_err(of_journal)?.unwrap_or_default();
    replay.check(&file).map_err(of_journal)?;
    let running = FileLock::is_held(&path.join("lock"));
    Ok(RunState { running, ..RunState::from_entries(name, path, &replay.state.0) })
}

fn remove_all(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn place() -> Result<PathBuf, StoreError> {
    Ok(state_folder()?.join(RUNS))
}

fn state_folder() -> Result<PathBuf, StoreError> {
    journal::state_folder().ok_or(StoreError::NoPlace)
}

fn of_journal(error: JournalError) -> StoreError {
    match error {
        JournalError::File { path, source } => StoreError::File { path, source: source.into() },
        error => StoreError::Journal(error),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::File { path: path.clone(), source: error.into() }
}
