//! The backup that a move makes before it copies, as flags.

use std::path::PathBuf;

use crate::commands::{self, CommandError};

/// Flags about that backup.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Safety")]
pub(super) struct BackupArgs {
    /// Folder in which the backup gets a folder of its own, named by the run [default: the user's
    /// state folder].
    #[arg(long, value_name = "DIR", conflicts_with = "no_backup")]
    backup_dir: Option<PathBuf>,
    /// Make no backup before copying.
    #[arg(long)]
    no_backup: bool,
}

impl BackupArgs {
    /// The folder, if there is to be a backup.
    pub(super) fn folder(self) -> Result<Option<PathBuf>, CommandError> {
        match self {
            Self { no_backup: true, .. } => Ok(None),
            Self { backup_dir: Some(folder), .. } => {
                Ok(Some(std::path::absolute(&folder).unwrap_or(folder)))
            }
            Self { .. } => commands::backup_folder().map(Some),
        }
    }
}
