//! The list of libraries that the user trusts: a file with their hashes.
//!
//! Trust belongs to bytes. A library that changes has to be trusted again, whatever its name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use own_files::PermissionProblem;
use serde::{Deserialize, Serialize};

use super::file::Sha256;
use super::guarded::{self, GuardedError};
use super::pin::Pin;
use super::write;

/// Version of the format that this program writes and reads.
const FORMAT: u32 = 1;

/// Name of the lock file in a folder with plugins.
pub(super) const FILE_NAME: &str = "plugins.lock.json";

/// A hundred bytes for each plugin: room for thousands.
const LIMIT_BYTES: u64 = 1 << 20;

/// The trusted libraries, by the name of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lock {
    /// Version of the format; a reader refuses a higher one.
    format_version: u32,
    /// Hashes, by name.
    plugins: BTreeMap<String, Sha256>,
    /// Plugins that were installed from a registry, by name. A program that does not know them
    /// drops them, and trusts the hashes all the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    artifacts: BTreeMap<String, Pin>,
    /// Hashes of plugins that were trusted where they are, outside of the folder of the lock, by
    /// name and path: a build of one's own beside the plugin that is installed. A program that does
    /// not know them drops them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    elsewhere: BTreeMap<String, BTreeMap<PathBuf, Sha256>>,
}

/// The reason why the lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file cannot be read or written.
    #[error("cannot use the lock file {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Someone else could have changed the file, and trusted what they like.
    #[error("the lock file {} is not safe to rely on", path.display())]
    Permissions {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: PermissionProblem,
    },
    /// The file is not a lock.
    #[error("the lock file {} is damaged", path.display())]
    Malformed {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// The file was written by a newer program.
    #[error(
        "the lock file {} has format version {found}, this program reads up to {FORMAT}",
        path.display()
    )]
    Newer {
        /// The lock file.
        path: PathBuf,
        /// The version.
        found: u32,
    },
}

impl LockError {
    /// Returns what the user can do.
    pub fn hint(&self) -> Cow<'static, str> {
        match self {
            Self::Io { .. } => "check its permissions".into(),
            Self::Permissions { source, .. } => source.hint().into(),
            Self::Malformed { .. } => {
                "delete it, and trust your plugins again with `kubectl pivot plugin trust NAME`"
                    .into()
            }
            Self::Newer { .. } => "use the newer kubectl-pivot that has written it".into(),
        }
    }
}

impl Default for Lock {
    fn default() -> Self {
        Self {
            format_version: FORMAT,
            plugins: BTreeMap::new(),
            artifacts: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
        }
    }
}

impl Lock {
    /// Reads the lock of `folder`; a missing file trusts nothing.
    ///
    /// # Errors
    /// The file is there and cannot be used.
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        Self::read_file_if_any(&folder.join(FILE_NAME))
    }

    /// Reads a lock file by its path; a missing file trusts nothing.
    ///
    /// # Errors
    /// The file is there and cannot be used.
    pub fn read_file_if_any(path: &Path) -> Result<Self, LockError> {
        match Self::read_file(path) {
            Err(LockError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self::default())
            }
            read => read,
        }
    }

    /// Reads a lock file by its path.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn read_file(path: &Path) -> Result<Self, LockError> {
        let path = path.to_owned();
        let text = match guarded::read(&path, LIMIT_BYTES) {
            Ok(text) => text,
            Err(GuardedError::Io(source)) => return Err(LockError::Io { path, source }),
            Err(GuardedError::Permissions(source)) => {
                return Err(LockError::Permissions { path, source });
            }
        };
        let lock: Self = serde_json::from_slice(&text)
            .map_err(|source| LockError::Malformed { path: path.clone(), source })?;
        match lock.format_version {
            found if found > FORMAT => Err(LockError::Newer { path, found }),
            _ => Ok(lock),
        }
    }

    /// Writes the lock of `folder` as a whole: a reader sees the old one or the new one.
    ///
    /// # Errors
    /// The folder is not writable, or not only by the user: the lock would not be relied on.
    pub fn write(&self, folder: &Path) -> Result<(), LockError> {
        let path = folder.join(FILE_NAME);
        let io = |source| LockError::Io { path: path.clone(), source };
        write::folder(folder).map_err(io)?;
        own_files::check_folders(&folder.canonicalize().map_err(io)?)
            .map_err(|source| LockError::Permissions { path: path.clone(), source })?;
        self.write_file(&path, 0o600)
    }

    /// Writes a lock file as a whole.
    ///
    /// # Errors
    /// The folder is not writable.
    pub(crate) fn write_file(&self, path: &Path, mode: u32) -> Result<(), LockError> {
        let path = path.to_owned();
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|source| LockError::Malformed { path: path.clone(), source })?;
        text.push(b'\n');
        write::file(&path, &text, mode).map_err(|source| LockError::Io { path, source })
    }

    /// Reads the lock of `folder`, changes it and writes it, while no other process does.
    ///
    /// # Errors
    /// As [`Self::read`] and [`Self::write`].
    pub(super) fn change(folder: &Path, change: impl FnOnce(&mut Self)) -> Result<(), LockError> {
        let io = |source| LockError::Io { path: folder.join(FILE_NAME), source };
        write::folder(folder).map_err(io)?;
        let _guard = guard(folder).map_err(io)?;
        let mut lock = Self::read(folder)?;
        change(&mut lock);
        lock.write(folder)
    }

    /// Reads a lock file by its path, changes it and writes it, while no other process does. The
    /// file is made if it is missing, its folder is not.
    ///
    /// # Errors
    /// As [`Self::read_file_if_any`] and `Self::write_file`.
    pub fn change_file(
        path: &Path,
        mode: u32,
        change: impl FnOnce(&mut Self),
    ) -> Result<(), LockError> {
        let io = |source| LockError::Io { path: path.to_owned(), source };
        let _guard = guard(path.parent().unwrap_or(Path::new("."))).map_err(io)?;
        let mut lock = Self::read_file_if_any(path)?;
        change(&mut lock);
        lock.write_file(path, mode)
    }

    /// The hash that is trusted for `name`; one of them if there are several.
    pub fn trusted(&self, name: &str) -> Option<&Sha256> {
        let of_artifact = || self.artifacts.get(name).and_then(|pin| pin.files.values().next());
        let elsewhere = || self.elsewhere.get(name).and_then(|files| files.values().next());
        self.plugins.get(name).or_else(of_artifact).or_else(elsewhere)
    }

    /// Returns true if these bytes are trusted under a name.
    pub fn trusts(&self, name: &str, hash: &Sha256) -> bool {
        let pin = self.artifacts.get(name);
        self.plugins.get(name) == Some(hash)
            || pin.is_some_and(|pin| pin.files.values().any(|file| file == hash))
            || self.elsewhere.get(name).is_some_and(|files| files.values().any(|it| it == hash))
    }

    /// Trusts a file where it is, beside the plugin of this name that is installed. What was
    /// trusted at its place, or at places where nothing is any more, no longer is.
    pub fn trust_at(&mut self, name: impl Into<String>, path: PathBuf, hash: Sha256) {
        let files = self.elsewhere.entry(name.into()).or_default();
        files.retain(|path, _| path.exists());
        files.insert(path, hash);
    }

    /// Trusts one library under a name, and no other in the folder of the lock.
    pub fn trust(&mut self, name: impl Into<String>, hash: Sha256) {
        let name = name.into();
        self.artifacts.remove(&name);
        self.plugins.insert(name, hash);
    }

    /// Trusts the libraries and programs of an artifact under a name, and no others in the folder
    /// of the lock.
    pub fn pin(&mut self, name: impl Into<String>, pin: Pin) {
        let name = name.into();
        self.plugins.remove(&name);
        self.artifacts.insert(name, pin);
    }

    /// The plugins that were installed from a registry, by name.
    pub fn pins(&self) -> &BTreeMap<String, Pin> {
        &self.artifacts
    }

    /// Trusts no library under this name any more; whether it did.
    pub fn forget(&mut self, name: &str) -> bool {
        let was_pinned = self.artifacts.remove(name).is_some();
        let was_elsewhere = self.elsewhere.remove(name).is_some();
        self.plugins.remove(name).is_some() || was_pinned || was_elsewhere
    }
}

/// Keeps other processes from changing a lock in a folder until the result is dropped. It is the
/// folder that is locked, since the file itself is replaced.
fn guard(folder: &Path) -> std::io::Result<std::fs::File> {
    let guard = std::fs::File::open(folder)?;
    guard.lock()?;
    Ok(guard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_and_forgets() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        assert_eq!(Lock::read(folder.path()).expect("no file is an empty lock"), Lock::default());
        let mut lock = Lock::default();
        lock.trust("docker", Sha256::of(b"library"));
        lock.write(folder.path()).expect("the folder is ours");
        let mut read = Lock::read(folder.path()).expect("it was just written");
        assert_eq!(read.trusted("docker"), Some(&Sha256::of(b"library")));
        assert_eq!(read.trusted("aws"), None);
        assert!(read.forget("docker"));
        assert!(!read.forget("docker"));
    }

    #[test]
    fn a_pin_trusts_the_files_of_all_platforms_and_nothing_else() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let hash = |text: &str| Sha256::of(text.as_bytes());
        let files = [("linux/amd64", hash("a")), ("darwin/arm64", hash("b"))];
        let pin = Pin {
            source: "oci://r.example/potato".to_owned(),
            version: "1.0.0".to_owned(),
            digest: "sha256:0".to_owned(),
            files: files.map(|(platform, hash)| (platform.to_owned(), hash)).into(),
            key: None,
        };
        Lock::change(folder.path(), |lock| lock.trust("potato", hash("own"))).expect("ours");
        Lock::change(folder.path(), |lock| lock.pin("potato", pin)).expect("ours");
        let mut lock = Lock::read(folder.path()).expect("it was just written");
        let trusted = ["a", "b", "own"].map(|text| lock.trusts("potato", &hash(text)));
        assert_eq!(trusted, [true, true, false]);
        assert_eq!(lock.pins()["potato"].version, "1.0.0");
        // A build of one's own takes its place.
        lock.trust("potato", hash("own"));
        let trusted = ["a", "b", "own"].map(|text| lock.trusts("potato", &hash(text)));
        assert_eq!(trusted, [false, false, true]);
        assert!(lock.forget("potato") && !lock.trusts("potato", &hash("own")));
    }

    #[test]
    fn a_build_of_ones_own_is_trusted_beside_the_installed_plugin() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let hash = |text: &str| Sha256::of(text.as_bytes());
        let [mine, gone] = ["mine.so", "gone.so"].map(|name| folder.path().join(name));
        std::fs::write(&mine, "").expect("the folder is ours");
        let mut lock = Lock::default();
        lock.trust("potato", hash("installed"));
        lock.trust_at("potato", gone, hash("gone"));
        lock.trust_at("potato", mine.clone(), hash("first"));
        lock.trust_at("potato", mine, hash("second"));
        lock.write(folder.path()).expect("the folder is ours");
        let mut lock = Lock::read(folder.path()).expect("it was just written");
        let trusted = |lock: &Lock| {
            ["installed", "gone", "first", "second"].map(|text| lock.trusts("potato", &hash(text)))
        };
        assert_eq!(trusted(&lock), [true, false, false, true]);
        lock.trust("potato", hash("newer"));
        assert_eq!(trusted(&lock), [false, false, false, true]);
        assert!(lock.forget("potato") && trusted(&lock) == [false; 4]);
    }

    #[test]
    fn changes_at_the_same_time_are_all_there() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let names: Vec<String> = (0..16).map(|number| format!("p{number}")).collect();
        std::thread::scope(|scope| {
            for name in &names {
                let place = folder.path();
                scope.spawn(move || {
                    let trust = |lock: &mut Lock| lock.trust(name, Sha256::of(b"a"));
                    Lock::change(place, trust).expect("the folder is ours");
                    let file = place.join("team.json");
                    Lock::change_file(&file, 0o644, trust).expect("the folder is ours");
                });
            }
        });
        for file in [FILE_NAME, "team.json"] {
            let lock = Lock::read_file(&folder.path().join(file)).expect("it was just written");
            assert!(names.iter().all(|name| lock.trusted(name).is_some()), "{lock:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_others_can_write_trusts_nothing() {
        use std::os::unix::fs::PermissionsExt as _;

        let set = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
        };
        let root = tempfile::tempdir().expect("there is room for a folder");
        let folder = root.path().join("plugins");
        let file = folder.join(FILE_NAME);
        Lock::default().write(&folder).expect("the folder is ours");
        for (path, mode, is_safe) in [
            (&*file, 0o644, true),
            (&*file, 0o666, false),
            (&*folder, 0o777, false),
            (&*folder, 0o755, true),
            (root.path(), 0o777, false),
            (root.path(), 0o700, true),
        ] {
            set(path, mode);
            match Lock::read(&folder) {
                Ok(_) => assert!(is_safe, "{} {mode:o}", path.display()),
                Err(LockError::Permissions { .. }) => assert!(!is_safe, "{mode:o}"),
                Err(other) => panic!("unexpected: {other}"),
            }
            let is_written = Lock::default().write(&folder).is_ok();
            assert_eq!(is_written, is_safe || path == file, "{} {mode:o}", path.display());
        }
    }

    #[test]
    fn refuses_a_damaged_or_newer_file() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let write = |text: &str| std::fs::write(folder.path().join(FILE_NAME), text);
        write("{").expect("the folder is ours");
        assert!(matches!(Lock::read(folder.path()), Err(LockError::Malformed { .. })));
        write(r#"{"formatVersion":9,"plugins":{}}"#).expect("the folder is ours");
        assert!(matches!(Lock::read(folder.path()), Err(LockError::Newer { found: 9, .. })));
    }
}
