//! `kubectl pivot backup`.

use std::path::PathBuf;

use transfer::{Destination, MoveOptions, Namespaces, Outcome, Role};

use super::Context;
use super::backups::EncryptionArgs;
use super::choice::{ChoiceArgs, NamespaceArgs};
use super::clusters::ClusterArgs;
use super::move_clusters::{ask, explain_nothing};
use super::output::{Output, print_report};
use super::pace::WaitArgs;
use super::{backup_prune, backup_verify};
use crate::commands::{self, CommandError, MoveRequest, exit};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # A namespace; its Clusters are paused while the files are written
  kubectl pivot backup ./before-upgrade -n fleet

  # The plan of a backup of everything; changes nothing
  kubectl pivot backup ./everything -A --dry-run

  # Encrypted with age; `restore` reads it with --identity
  kubectl pivot backup ./before-upgrade -n fleet --encrypt-to recipients.txt

  # Read every file and compare it with the manifest
  kubectl pivot backup verify ./before-upgrade";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Directory of the backup; it must not exist yet, or be empty.
    #[arg(value_name = "DIR", required = true)]
    directory: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    namespaces: NamespaceArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Show what would be written, and change nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    /// Do not ask before the Clusters are paused. Nothing is asked either when standard input is no
    /// terminal.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    #[command(flatten)]
    encryption: EncryptionArgs,
    #[command(flatten)]
    wait: WaitArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read every file of a backup, compare it with the manifest, and list what it holds.
    #[command(after_help = backup_verify::EXAMPLES)]
    Verify(backup_verify::Args),
    /// Delete old backups.
    #[command(after_help = backup_prune::EXAMPLES)]
    Prune(backup_prune::Args),
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    match args.command {
        Some(Command::Verify(args)) => backup_verify::run(&args),
        Some(Command::Prune(args)) => backup_prune::run(&args, context),
        None => make(args, context).await,
    }
}

async fn make(args: Args, context: &Context) -> Result<u8, CommandError> {
    let directory = args.directory.expect("the parser asks for it when there is no subcommand");
    let mut options = MoveOptions::new(Namespaces::All);
    args.wait.apply(&mut options);
    options.choice = args.choice.choice();
    options.encrypt_to = args.encryption.recipients()?;
    let cluster = args.cluster.cluster();
    let request = MoveRequest {
        source: cluster.clone(),
        target: cluster,
        directory: None,
        alone: Some(Role::Source),
        namespaces: args.namespaces.names(),
        all_namespaces: args.namespaces.all_namespaces,
        dry_run: args.dry_run,
        options,
    };
    let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
    let to = Destination { directory, manifest: true };
    let confirm = |plan: &transfer::Report| {
        context.progress.clear();
        args.yes || ask("Pause and back up", plan)
    };
    let result = commands::backup(&run, &to, args.dry_run, confirm).await;
    context.progress.clear();
    Ok(match print_report(result, args.output.into(), (context, ""))?.outcome {
        Outcome::Refused => exit::REFUSED,
        Outcome::NothingInScope => {
            explain_nothing(&run, context).await;
            exit::NOTHING_IN_SCOPE
        }
        _ => exit::OK,
    })
}
