//! Backups for people: the list, one that was verified, and old ones that were deleted.

use std::fmt::Write as _;

use transfer::Contents;

use super::kubectl_table::align;
use crate::commands::{FoundBackup, Pruned};

/// One line for each backup.
pub fn backups(found: &[FoundBackup]) -> String {
    if found.is_empty() {
        return "No backups found\n".to_owned();
    }
    let headings = ["RUN", "TIME", "NAMESPACE", "CLUSTERS", "OBJECTS", "SERVER", "DIRECTORY"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    lines.extend(found.iter().map(|backup| {
        vec![
            backup.run.clone(),
            backup.time.clone(),
            backup.namespace.clone().unwrap_or_else(|| "<all>".to_owned()),
            backup.clusters.to_string(),
            backup.objects.to_string(),
            backup.server.clone(),
            backup.directory.display().to_string(),
        ]
    }));
    align(&lines)
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

/// Backups that were deleted, or would be.
pub fn pruned(pruned: &Pruned, dry_run: bool) -> String {
    let verb = if dry_run { "Would delete" } else { "Deleted" };
    let list = if pruned.deleted.is_empty() { String::new() } else { backups(&pruned.deleted) };
    let failed = pruned.failed.iter().fold(String::new(), |text, failed| {
        format!("{text}Not deleted: {}: {}\n", failed.backup.directory.display(), failed.reason)
    });
    format!("{list}{failed}{verb} {} backups; {} are kept\n", pruned.deleted.len(), pruned.kept)
}
