//! Flags about backups: the one that a move makes before it copies, and the keys of encrypted ones.

use std::path::PathBuf;

use support::journal::Events;
use transfer::{Identities, MoveOptions, Recipients};

use crate::commands::{self, CommandError};

/// Keys of an encrypted backup.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Scope")]
pub(super) struct IdentityArgs {
    /// File with an age identity that the backup is encrypted to; can be repeated.
    #[arg(long, value_name = "FILE")]
    identity: Vec<PathBuf>,
}

impl IdentityArgs {
    /// The keys.
    pub(super) fn read(&self) -> Result<Identities, CommandError> {
        Ok(Identities::read(&self.identity)?)
    }
}

/// Flags about that backup.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(super) struct BackupArgs {
    /// Folder in which the backup gets a folder of its own, named by the run [default: the user's
    /// state folder].
    #[arg(long, value_name = "DIR", conflicts_with = "no_backup")]
    backup_dir: Option<PathBuf>,
    /// Make no backup before copying.
    #[arg(long, conflicts_with = "encrypt_to")]
    no_backup: bool,
    /// Runs of each source cluster and namespace whose backups stay in the user's state folder; a
    /// move that succeeds deletes those of older runs. 0 keeps all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    keep_backups: usize,
    #[command(flatten)]
    encryption: EncryptionArgs,
}

/// Encryption of a backup.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(super) struct EncryptionArgs {
    /// Encrypt the files of the backup with age: a public key that begins with `age1`, or a file
    /// with one on each line; can be repeated.
    #[arg(long, value_name = "KEY|FILE")]
    encrypt_to: Vec<String>,
}

impl EncryptionArgs {
    /// The keys.
    pub(super) fn recipients(&self) -> Result<Recipients, CommandError> {
        Ok(Recipients::read(&self.encrypt_to)?)
    }
}

impl BackupArgs {
    /// Sets the folder, if there is to be a backup, and the keys.
    pub(super) fn apply(&self, options: &mut MoveOptions) -> Result<(), CommandError> {
        options.backups = self.folder()?;
        options.encrypt_to = self.encryption.recipients()?;
        Ok(())
    }

    /// The number of backups to keep in the user's state folder, if moves put them there and there
    /// is a limit.
    pub(super) fn limit(&self) -> Option<usize> {
        let is_default = self.backup_dir.is_none() && !self.no_backup;
        (is_default && self.keep_backups > 0).then_some(self.keep_backups)
    }

    /// The folder, if there is to be a backup.
    fn folder(&self) -> Result<Option<PathBuf>, CommandError> {
        match self {
            Self { no_backup: true, .. } => Ok(None),
            Self { backup_dir: Some(folder), .. } => {
                Ok(Some(std::path::absolute(folder).unwrap_or_else(|_| folder.clone())))
            }
            Self { .. } => commands::backup_folder().map(Some),
        }
    }
}

/// Keeps the user's state folder to its limit after a move that has succeeded.
pub(super) fn keep_to(limit: Option<usize>, run: &str, events: &Events) {
    if let (Some(newest), Ok(folder)) = (limit, commands::backup_folder()) {
        commands::limit_backups(&folder, newest, run, events);
    }
}
