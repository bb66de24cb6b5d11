//! `backup prune`: deleting old backups, on request and at the end of a move.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use support::causes::in_one_line;
use support::journal::Events;
use transfer::{MANIFEST, Manifest};

use super::backup::{FoundBackup, list_backups};

/// The end of the name of a folder that is being deleted: no backup any more, and known to the next
/// `prune`.
const DELETED: &str = ".kubectl-pivot-deleted";

/// Rules that keep backups: what one of them keeps is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Those of the newest runs of each source cluster and scope; a run in batches has made
    /// several.
    pub newest: Option<usize>,
    /// Those that are not older.
    pub younger_than: Option<SignedDuration>,
}

impl Keep {
    /// The backups that no rule keeps, oldest first; without a rule there are none.
    #[must_use]
    pub fn others(&self, found: &[FoundBackup], now: Timestamp) -> Vec<FoundBackup> {
        if *self == Self::default() {
            return Vec::new();
        }
        let mut newer: HashMap<_, Vec<&str>> = HashMap::new();
        let mut others: Vec<FoundBackup> = Vec::new();
        for backup in found.iter().rev() {
            let runs = newer.entry((&backup.server, &backup.namespace)).or_default();
            let known = runs.iter().position(|run| *run == backup.run);
            let newer_runs = known.unwrap_or_else(|| {
                runs.push(&backup.run);
                runs.len() - 1
            });
            let is_among_newest = self.newest.is_some_and(|limit| newer_runs < limit);
            if !is_among_newest && self.is_old(backup, now) {
                others.push(backup.clone());
            }
        }
        others.reverse();
        others
    }

    /// A time that nobody can read is never old.
    fn is_old(&self, backup: &FoundBackup, now: Timestamp) -> bool {
        let Some(limit) = self.younger_than else { return true };
        let made = backup.time.parse::<Timestamp>();
        made.is_ok_and(|made| now.duration_since(made) > limit)
    }
}

/// Old backups that were deleted, and those that could not be.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pruned {
    /// Backups that are gone, or would be.
    pub deleted: Vec<FoundBackup>,
    /// Backups that could not be deleted, with the reason.
    pub failed: Vec<NotDeleted>,
    /// Number of backups that stay.
    pub kept: usize,
}

/// A backup that could not be deleted.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotDeleted {
    /// The backup.
    #[serde(flatten)]
    pub backup: FoundBackup,
    /// The reason.
    pub reason: String,
}

/// Deletes backups of a folder, each whole or not at all.
pub fn prune(folder: &Path, old: Vec<FoundBackup>, kept: usize) -> Pruned {
    let mut pruned = Pruned { kept, ..Pruned::default() };
    remove_leftovers(folder);
    for backup in old {
        match delete(&backup.directory) {
            Ok(()) => pruned.deleted.push(backup),
            Err(error) => {
                pruned.kept += 1;
                pruned.failed.push(NotDeleted { backup, reason: in_one_line(&error) });
            }
        }
    }
    pruned
}

/// Deletes what a move leaves over the limit, but nothing of its own run, and notes each. A failure
/// is a warning: the move has ended well.
pub fn limit_backups(folder: &Path, newest: usize, run: &str, events: &Events) {
    let found = list_backups(folder);
    let keep = Keep { newest: Some(newest), younger_than: None };
    let mut old = keep.others(&found, Timestamp::now());
    // The clock may have been ahead once, so that its backup is not the newest.
    old.retain(|backup| backup.run != run);
    let kept = found.len() - old.len();
    let pruned = prune(folder, old, kept);
    for backup in &pruned.deleted {
        events.note(format!(
            "deleted the backup {} of {}; those of the newest {newest} runs of each source and \
             namespace are kept (--keep-backups)",
            backup.run, backup.time
        ));
    }
    for NotDeleted { backup, reason } in &pruned.failed {
        let directory = backup.directory.display();
        events.warning(format!("cannot delete the old backup {directory}: {reason}"));
    }
}

/// Deletes a backup. By its new name it is none any more, so none is seen half.
fn delete(directory: &Path) -> io::Result<()> {
    check_only_backup(directory)?;
    let mut name = directory.as_os_str().to_owned();
    name.push(DELETED);
    fs::rename(directory, &name)?;
    fs::remove_dir_all(&name)
}

/// Refuses a folder that has files of somebody else, and a link to one.
fn check_only_backup(directory: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(directory)?.is_dir() {
        return Err(io::Error::other("it is a link"));
    }
    let manifest = Manifest::read(directory).map_err(io::Error::other)?;
    let manifest = manifest.ok_or_else(|| io::Error::other("it is no backup any more"))?;
    let files = manifest.objects.iter().map(|object| object.file.as_str());
    let known: HashSet<&str> = files.chain([MANIFEST]).collect();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !known.contains(name.as_str()) {
            let problem = format!("it holds {name}, which is not part of the backup");
            return Err(io::Error::other(problem));
        }
    }
    Ok(())
}

/// Finishes what a killed `prune` has begun. The next one tries again what fails here.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && entry.file_name().to_string_lossy().ends_with(DELETED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup(folder: &Path, run: &str, server: &str, time: &str) {
        let mut manifest = Manifest::new(run, server, None, &[]);
        time.clone_into(&mut manifest.time);
        let directory = folder.join(run);
        fs::create_dir_all(&directory).expect("created");
        fs::write(directory.join(MANIFEST), manifest.to_text()).expect("written");
    }

    fn runs(found: &[FoundBackup]) -> Vec<&str> {
        found.iter().map(|backup| backup.run.as_str()).collect()
    }

    #[test]
    fn a_backup_that_one_rule_keeps_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        for (run, server, time) in [
            ("a1", "a", "2026-01-01T00:00:00Z"),
            ("b1", "b", "2026-01-02T00:00:00Z"),
            ("a2", "a", "2026-02-01T00:00:00Z"),
            ("a3", "a", "2026-03-01T00:00:00Z"),
            ("x", "a", "2025-01-01 at noon"),
        ] {
            backup(folder.path(), run, server, time);
        }
        let found = list_backups(folder.path());
        let now = "2026-03-02T00:00:00Z".parse().expect("a time");
        let others = |newest, days: Option<i64>| {
            let younger_than = days.map(|days| SignedDuration::from_hours(24 * days));
            let others = Keep { newest, younger_than }.others(&found, now);
            runs(&others).join(" ")
        };
        assert_eq!(others(None, None), "");
        assert_eq!(others(Some(1), None), "x a1 a2");
        assert_eq!(others(None, Some(10)), "a1 b1 a2");
        assert_eq!(others(Some(2), Some(10)), "a1");
        assert_eq!(others(Some(0), None), "x a1 b1 a2 a3");
    }

    #[test]
    fn batches_of_a_run_and_other_namespaces_push_none_out() {
        let folder = tempfile::tempdir().expect("a folder");
        for (directory, run, namespace) in
            [("1", "old", None), ("2", "new", None), ("3", "new", None), ("4", "one", Some("n"))]
        {
            let mut manifest = Manifest::new(run, "a", namespace, &[]);
            manifest.time = format!("2026-01-0{directory}T00:00:00Z");
            fs::create_dir(folder.path().join(directory)).expect("created");
            let file = folder.path().join(directory).join(MANIFEST);
            fs::write(file, manifest.to_text()).expect("written");
        }
        let found = list_backups(folder.path());
        let others = |limit| {
            let keep = Keep { newest: Some(limit), younger_than: None };
            runs(&keep.others(&found, Timestamp::now())).join(" ")
        };
        assert_eq!(others(2), "");
        assert_eq!(others(1), "old");
        limit_backups(folder.path(), 1, "old", &Events::none());
        assert_eq!(list_backups(folder.path()).len(), 4, "its own run");
        limit_backups(folder.path(), 1, "new", &Events::none());
        assert_eq!(runs(&list_backups(folder.path())), ["new", "new", "one"]);
    }

    #[test]
    fn folders_with_other_files_and_links_are_left_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("backups");
        for run in ["good", "noted"] {
            backup(&folder, run, "a", "2026-01-01T00:00:00Z");
        }
        backup(home.path(), "elsewhere", "a", "2026-01-01T00:00:00Z");
        fs::write(folder.join("noted/notes.txt"), "mine").expect("written");
        std::os::unix::fs::symlink(home.path().join("elsewhere"), folder.join("link"))
            .expect("linked");
        fs::create_dir(folder.join("old.kubectl-pivot-deleted")).expect("created");
        fs::create_dir(folder.join("customers.deleted")).expect("created");
        let pruned = prune(&folder, list_backups(&folder), 0);
        assert_eq!(runs(&pruned.deleted), ["good"]);
        let reasons: Vec<&str> = pruned.failed.iter().map(|failed| &*failed.reason).collect();
        assert!(reasons.iter().any(|reason| reason.contains("notes.txt")), "{reasons:?}");
        assert!(reasons.contains(&"it is a link"), "{reasons:?}");
        assert_eq!(pruned.kept, 2);
        assert!(!folder.join("old.kubectl-pivot-deleted").exists());
        assert!(folder.join("customers.deleted").exists() && !folder.join("good").exists());
        assert!(folder.join("noted/notes.txt").exists());
        assert!(home.path().join("elsewhere").join(MANIFEST).exists());
    }
}
