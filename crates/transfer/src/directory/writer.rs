//! Writing a directory: private files, synced, all of them or none.
//!
//! The files are written to a staging folder first. A directory that is not there yet appears by
//! one rename. Into one that is there already the files are moved one by one, the manifest last.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use own_files::private;
use support::visible;

use super::files::failed;
use super::manifest::{MANIFEST, sha256};
use crate::error::PhaseError;

/// Files that are written at once.
const WRITERS: usize = 16;

/// A directory that is being filled. Nothing shows in it before [`Writer::publish`].
pub(super) struct Writer {
    staging: PathBuf,
    target: PathBuf,
    /// True if the target was there before.
    existed: bool,
    names: Vec<String>,
}

impl Writer {
    /// Prepares a directory.
    ///
    /// Files of other objects in it would be restored together with this backup, so it may hold
    /// only files of these `names`.
    pub(super) fn prepare(target: &Path, names: &HashSet<&str>) -> Result<Self, PhaseError> {
        let existed = check_target(target, names)?;
        // In an existing directory, which may be a file system of its own, a folder beside it would
        // be of no use.
        let staging =
            if existed { target.join(".partial") } else { with_suffix(target, ".partial") };
        // What a killed run has left: nobody else writes there.
        match fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &staging)(error));
            }
            _ => make_private(&staging)?,
        }
        Ok(Self { staging, target: target.to_owned(), existed, names: Vec::new() })
    }

    /// Writes files, several at once, and returns the sha256 of each. `content` gives the content
    /// of one file; `written` is called for each that is done, and stops the rest by an error.
    pub(super) fn write<T: Sync>(
        &mut self,
        files: &[(String, T)],
        content: impl Fn(&T) -> Vec<u8> + Sync,
        written: impl Fn() -> Result<(), PhaseError> + Sync,
    ) -> Result<Vec<String>, PhaseError> {
        let sums = Mutex::new(BTreeMap::new());
        let failure: Mutex<Option<PhaseError>> = Mutex::new(None);
        let work = |worker: usize| {
            for (index, (name, value)) in files.iter().enumerate().skip(worker).step_by(WRITERS) {
                if held(&failure).is_some() {
                    return;
                }
                if let Err(error) = check_name(&self.target, name) {
                    held(&failure).get_or_insert(error);
                    return;
                }
                let bytes = content(value);
                let done = write_private(&self.staging.join(name), &bytes).and_then(|()| written());
                match done {
                    Ok(()) => drop(held(&sums).insert(index, sha256(&bytes))),
                    Err(error) => drop(held(&failure).get_or_insert(error)),
                }
            }
        };
        std::thread::scope(|scope| {
            for worker in 0..WRITERS.min(files.len()) {
                let work = &work;
                scope.spawn(move || work(worker));
            }
        });
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        self.names.extend(files.iter().map(|(name, _)| name.clone()));
        let sums = sums.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(sums.into_values().collect())
    }

    /// Writes the last file, which makes the directory complete.
    pub(super) fn write_manifest(&mut self, text: &str) -> Result<(), PhaseError> {
        write_private(&self.staging.join(MANIFEST), text.as_bytes())?;
        self.names.push(MANIFEST.to_owned());
        Ok(())
    }

    /// Moves everything to its place.
    pub(super) fn publish(self) -> Result<(), PhaseError> {
        sync_files(&self.staging, &self.names)?;
        sync_folder(&self.staging)?;
        if !self.existed {
            fs::rename(&self.staging, &self.target).map_err(failed("write", &self.target))?;
            return self.target.parent().map_or(Ok(()), sync_parent);
        }
        for name in &self.names {
            let to = self.target.join(name);
            fs::rename(self.staging.join(name), &to).map_err(failed("write", &to))?;
        }
        fs::remove_dir(&self.staging).map_err(failed("remove", &self.staging))?;
        sync_folder(&self.target)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whatever is left in it was not published; the next backup to this place removes it.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

/// Returns whether the directory is there; one that holds anything but `names` is refused.
fn check_target(target: &Path, names: &HashSet<&str>) -> Result<bool, PhaseError> {
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                make_private(parent)?;
            }
            return Ok(false);
        }
        Err(error) => return Err(failed("read", target)(error)),
    };
    for entry in entries {
        let name =
            entry.map_err(failed("read", target))?.file_name().to_string_lossy().into_owned();
        if !names.contains(name.as_str()) && name != ".partial" {
            let problem = format!(
                "the directory holds {name}, which is not part of this backup; use an empty one"
            );
            return Err(PhaseError::BadFile { path: target.display().to_string(), problem });
        }
    }
    Ok(true)
}

/// Refuses a name that would lead out of the directory, or that a terminal would not show as it is.
fn check_name(target: &Path, name: &str) -> Result<(), PhaseError> {
    let mut components = Path::new(name).components();
    let is_one = matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(only)), None) if only == name
    );
    if is_one && visible::one_line(name) == name {
        return Ok(());
    }
    let problem = format!("{name:?} is not the name of a file of a backup");
    Err(PhaseError::BadFile { path: target.display().to_string(), problem })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    // Without a trailing slash, which would make it a name inside.
    let mut name: std::ffi::OsString = path.components().collect::<PathBuf>().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

/// Writes one file, readable by the user only: it may be a Secret.
fn write_private(path: &Path, content: &[u8]) -> Result<(), PhaseError> {
    private::create_new(path)
        .and_then(|mut file| file.write_all(content))
        .map_err(failed("write", path))
}

/// Brings all files to the disk: by one call for the whole file system, which takes a tenth of the
/// time of a call for each of a thousand files.
#[cfg(target_os = "linux")]
fn sync_files(folder: &Path, _names: &[String]) -> Result<(), PhaseError> {
    let synced = File::open(folder).and_then(|folder| Ok(rustix::fs::syncfs(&folder)?));
    synced.map_err(failed("write", folder))
}

/// Brings all files to the disk.
#[cfg(not(target_os = "linux"))]
fn sync_files(folder: &Path, names: &[String]) -> Result<(), PhaseError> {
    for path in names.iter().map(|name| folder.join(name)) {
        File::open(&path).and_then(|file| file.sync_all()).map_err(failed("write", &path))?;
    }
    Ok(())
}

fn make_private(path: &Path) -> Result<(), PhaseError> {
    private::create_missing_folders(path).map_err(failed("create", path))
}

fn sync_folder(path: &Path) -> Result<(), PhaseError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("write", path))
}

fn sync_parent(parent: &Path) -> Result<(), PhaseError> {
    sync_folder(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fill(target: &Path, names: &[&str]) -> Result<Writer, PhaseError> {
        let mut writer = Writer::prepare(target, &names.iter().copied().collect())?;
        let files: Vec<(String, &str)> =
            names.iter().map(|name| ((*name).to_owned(), *name)).collect();
        let sums = writer.write(&files, |name| name.as_bytes().to_vec(), || Ok(()))?;
        assert_eq!(sums, names.iter().map(|name| sha256(name.as_bytes())).collect::<Vec<_>>());
        Ok(writer)
    }

    fn listed(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_directory_shows_only_when_it_is_complete() {
        let home = tempfile::tempdir().expect("a folder");
        let target = home.path().join("above/backup/");
        let writer = fill(&target, &["a", "b", "c"]).expect("written");
        assert!(!target.exists());
        writer.publish().expect("published");
        assert_eq!(listed(&target), ["a", "b", "c"]);
        assert_eq!(listed(&home.path().join("above")), ["backup"], "the staging folder is gone");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&target), mode(&target.join("a"))), (0o700, 0o600));
    }

    #[test]
    fn an_existing_directory_must_not_hold_anything_else() {
        let home = tempfile::tempdir().expect("a folder");
        let writer = fill(home.path(), &["a"]).expect("written");
        assert_eq!(listed(home.path()), [".partial"]);
        writer.publish().expect("published");
        assert_eq!(listed(home.path()), ["a"]);
        fill(home.path(), &["a"]).expect("the same files again").publish().expect("published");
        let Err(error) = fill(home.path(), &["b"]) else { panic!("other files") };
        assert!(error.to_string().contains("holds a,"), "{error}");
    }

    #[test]
    fn no_file_is_written_outside_of_the_directory() {
        let home = tempfile::tempdir().expect("a folder");
        for name in ["../pwn", "a/b", "/tmp/pwn", "..", ".", "", "a/", "a\u{1b}[2J"] {
            let target = home.path().join("backup");
            let mut writer = Writer::prepare(&target, &HashSet::new()).expect("prepared");
            let files = [(name.to_owned(), "content")];
            let written = writer.write(&files, |text| text.as_bytes().to_vec(), || Ok(()));
            let error = written.expect_err(name).to_string();
            assert!(error.contains("not the name of a file"), "{error}");
            drop(writer);
            assert_eq!(listed(home.path()), Vec::<String>::new(), "{name:?}");
        }
    }

    #[test]
    fn a_failure_leaves_nothing_and_what_a_killed_run_has_left_is_no_obstacle() {
        let home = tempfile::tempdir().expect("a folder");
        let target = home.path().join("backup");
        fs::create_dir(home.path().join("backup.partial")).expect("created");
        fs::write(home.path().join("backup.partial/old"), "").expect("written");
        let mut writer = Writer::prepare(&target, &HashSet::new()).expect("prepared");
        let files: Vec<(String, ())> = (0..50).map(|n| (n.to_string(), ())).collect();
        let failed = writer.write(&files, |()| Vec::new(), || Err(PhaseError::Interrupted));
        assert!(matches!(failed, Err(PhaseError::Interrupted)));
        drop(writer);
        assert_eq!(listed(home.path()), Vec::<String>::new());
    }
}
