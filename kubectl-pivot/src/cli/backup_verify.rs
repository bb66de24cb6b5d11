//! `kubectl pivot backup verify`.

use std::path::PathBuf;

use super::backups::IdentityArgs;
use super::completion::values;
use super::output::Output;
use crate::commands::{self, CommandError, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # A backup in plain text
  kubectl pivot backup verify ./before-upgrade

  # An encrypted one, with what is in its files
  kubectl pivot backup verify ./before-upgrade --identity key.txt

  # In a script: exit code 7 if a file is missing or has changed
  kubectl pivot backup verify ./before-upgrade -o json";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directory of the backup.
    #[arg(value_name = "DIR", add = values::backups())]
    directory: PathBuf,
    #[command(flatten)]
    identities: IdentityArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

pub(super) fn run(args: &Args) -> Result<u8, CommandError> {
    let contents = commands::verify_backup(&args.directory, &args.identities.read()?)?;
    let text = render::structured(&contents, args.output.into());
    render::print(&text.unwrap_or_else(|| render::backup_contents(&contents)));
    Ok(exit::OK)
}
