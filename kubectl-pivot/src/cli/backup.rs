//! `kubectl pivot backup`.

use std::path::PathBuf;

use super::Context;
use super::choice::{ChoiceArgs, NamespaceArgs};
use super::clusters::ClusterArgs;
use super::move_clusters::{ask, explain_nothing};
use super::output::{Output, print_report};
use super::pace::WaitArgs;
use crate::commands::{self, CommandError, MoveRequest, exit};
use crate::transfer::{Destination, MoveOptions, Namespaces, Outcome};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # A namespace; its Clusters are paused while the files are written
  kubectl pivot backup ./before-upgrade -n fleet

  # The plan of a backup of everything; changes nothing
  kubectl pivot backup ./everything -A --dry-run";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Directory of the backup; it must not exist yet, or be empty.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
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
    wait: WaitArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let mut options = MoveOptions::new(Namespaces::All);
    args.wait.apply(&mut options);
    options.choice = args.choice.choice();
    let cluster = args.cluster.cluster();
    let request = MoveRequest {
        source: cluster.clone(),
        target: cluster,
        directory: None,
        alone: None,
        namespaces: args.namespaces.names(),
        all_namespaces: args.namespaces.all_namespaces,
        dry_run: args.dry_run,
        options,
    };
    let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
    let to = Destination { directory: args.directory, manifest: true };
    let confirm = |plan: &crate::transfer::Report| {
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
