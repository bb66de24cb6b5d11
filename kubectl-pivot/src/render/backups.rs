//! Backups for people: the list, one that was verified, and old ones that were deleted.

use std::fmt::Write as _;

use jiff::Timestamp;
use transfer::Contents;

use super::Screen;
use super::kubectl_table::fitted;
use crate::commands::{FoundBackup, Pruned};

/// Returns one line for each backup, with its age, as kubectl has it.
pub fn backups(found: &[FoundBackup], now: Timestamp, screen: &Screen) -> String {
    if found.is_empty() {
        return "No backups found\n".to_owned();
    }
    let headings = ["RUN", "AGE", "NAMESPACE", "CLUSTERS", "OBJECTS", "SERVER", "DIRECTORY"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    lines.extend(found.iter().map(|backup| {
        vec![
            backup.run.clone(),
            age(&backup.time, now),
            backup.namespace.clone().unwrap_or_else(|| "<all>".to_owned()),
            backup.clusters.to_string(),
            backup.objects.to_string(),
            backup.server.clone(),
            backup.directory.display().to_string(),
        ]
    }));
    fitted(&lines, screen)
}

/// Returns the time since then in the largest unit that is whole; the time itself if it is not one.
fn age(time: &str, now: Timestamp) -> String {
    let Ok(then) = time.parse::<Timestamp>() else { return time.to_owned() };
    match now.duration_since(then).as_secs().max(0) {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7200 => format!("{}m", seconds / 60),
        seconds @ 7200..172_800 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// A backup that was verified: where it is from, and what it holds.
pub fn backup_contents(contents: &Contents) -> String {
    let manifest = &contents.manifest;
    let mut text = format!(
        "Backup of run {}, made {} by {}\nSource      {}\nNamespace   {}\nEncrypted   {}\n",
        manifest.run,
        manifest.time,
        manifest.program,
        manifest.server,
        manifest.namespace.as_deref().unwrap_or("<all>"),
        manifest
            .encryption
            .as_ref()
            .map_or_else(|| "no".to_owned(), |e| format!("to {}", e.recipients.join(", "))),
    );
    for provider in &manifest.providers {
        let _ = writeln!(text, "Provider    {} {}", provider.name, provider.version);
    }
    for (kind, count) in &contents.kinds {
        let _ = writeln!(text, "{count:>5} {kind}");
    }
    let files = manifest.objects.len();
    let _ = writeln!(text, "All {files} files are there and have the sha256 of the manifest");
    text + if contents.objects_read {
        "Every file holds its object\n"
    } else {
        "The objects in them were not read; --identity FILE names a key that can\n"
    }
}

/// Returns the backups that were deleted, or would be.
pub fn pruned(pruned: &Pruned, dry_run: bool, screen: &Screen) -> String {
    let verb = if dry_run { "Would delete" } else { "Deleted" };
    let list = if pruned.deleted.is_empty() {
        String::new()
    } else {
        backups(&pruned.deleted, Timestamp::now(), screen)
    };
    let failed = pruned.failed.iter().fold(String::new(), |text, failed| {
        format!("{text}Not deleted: {}: {}\n", failed.backup.directory.display(), failed.reason)
    });
    format!("{list}{failed}{verb} {} backups; {} are kept\n", pruned.deleted.len(), pruned.kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_those_of_kubectl() {
        let now = "2026-11-28T12:00:00Z".parse().expect("a time");
        for (time, expected) in [
            ("2026-11-28T11:59:18Z", "42s"),
            ("2026-11-28T11:00:00Z", "60m"),
            ("2026-11-27T11:00:00Z", "25h"),
            ("2026-10-28T12:00:00Z", "31d"),
            ("2027-01-01T00:00:00Z", "0s"),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(age(time, now), expected, "{time}");
        }
    }
}
