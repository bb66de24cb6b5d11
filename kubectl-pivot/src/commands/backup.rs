//! `backup` and `restore`: between a cluster and files, and the backups that moves have made.

use std::path::{Path, PathBuf};

use serde::Serialize;
use support::journal::state_folder;
use transfer::{
    Contents, Destination, Encryption, Identities, Manifest, MoveError, Operation, Outcome, Report,
    Run, inspect, load, plan_load, plan_save, save,
};

use super::error::CommandError;
use super::move_clusters::ended;

/// Writes a consistent backup of what is in scope: the source is paused meanwhile.
///
/// # Errors
/// When it fails, or is not confirmed. A plan with findings is a report, not an error.
pub async fn backup(
    run: &Run,
    to: &Destination,
    dry_run: bool,
    confirm: impl FnOnce(&Report) -> bool,
) -> Result<Report, CommandError> {
    let (preflight, mut report) = match plan_save(run, to).await {
        Ok(planned) => planned,
        Err(error) => return not_begun(run, Operation::Backup, error),
    };
    if dry_run || report.outcome != Outcome::Planned {
        return Ok(report);
    }
    if !confirm(&report) {
        return Err(CommandError::NotConfirmed);
    }
    let result = save(run, preflight, &mut report, to).await;
    ended(run, report, result)
}

/// Creates the objects of a directory in the target.
///
/// # Errors
/// When it fails, or is not confirmed. A plan with findings is a report, not an error.
pub async fn restore(
    run: &Run,
    from: &Destination,
    dry_run: bool,
    confirm: impl FnOnce(&Report) -> bool,
) -> Result<Report, CommandError> {
    let (plan, mut report) = match plan_load(run, from).await {
        Ok(planned) => planned,
        Err(error) => return not_begun(run, Operation::Restore, error),
    };
    if dry_run || report.outcome != Outcome::Planned {
        return Ok(report);
    }
    if !confirm(&report) {
        return Err(CommandError::NotConfirmed);
    }
    let run = plan.run.clone();
    let result = load(plan, &mut report).await;
    ended(&run, report, result)
}

fn not_begun(run: &Run, operation: Operation, error: MoveError) -> Result<Report, CommandError> {
    let mut report = Report::blank(run);
    report.operation = operation;
    ended(run, report, Err(error))
}

/// Reads every file of a backup and compares it with the manifest.
///
/// # Errors
/// When the backup is not what its manifest says, or cannot be read with these identities.
pub fn verify_backup(directory: &Path, identities: &Identities) -> Result<Contents, CommandError> {
    inspect(directory, identities).map_err(CommandError::BadBackup)
}

/// A backup in the user's state folder.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FoundBackup {
    /// Directory of the backup.
    pub directory: PathBuf,
    /// Id of the run that has made it.
    pub run: String,
    /// When, RFC 3339.
    pub time: String,
    /// URL of the source's API server.
    pub server: String,
    /// Namespace; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Number of Clusters.
    pub clusters: usize,
    /// Number of objects.
    pub objects: usize,
    /// The encryption of its files; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

/// The folder in which moves make their backups unless the user names another.
///
/// # Errors
/// When there is no state folder.
pub fn backup_folder() -> Result<PathBuf, CommandError> {
    state_folder().map(|state| state.join("backups")).ok_or(CommandError::NoStateFolder)
}

/// The complete backups in a folder, oldest first; none when there is no such folder.
pub fn list_backups(folder: &Path) -> Vec<FoundBackup> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let found = entries.filter_map(|entry| {
        let manifest = Manifest::read(&entry.path()).ok().flatten()?;
        Some(FoundBackup {
            directory: entry.path(),
            objects: manifest.objects.len(),
            run: manifest.run,
            time: manifest.time,
            server: manifest.server,
            namespace: manifest.namespace,
            clusters: manifest.clusters,
            encryption: manifest.encryption,
        })
    });
    let mut found: Vec<FoundBackup> = found.collect();
    found.sort_by(|a, b| (&a.time, &a.directory).cmp(&(&b.time, &b.directory)));
    found
}
