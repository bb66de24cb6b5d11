//! `kubectl pivot restore`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use transfer::{Destination, MoveOptions, Namespaces, Outcome};

use super::Context;
use super::allow::{LossArgs, ReservedArgs};
use super::backups::IdentityArgs;
use super::choice::NamesArgs;
use super::clusters::ClusterArgs;
use super::completion::values;
use super::move_clusters::ask;
use super::output::{Output, print_report};
use crate::commands::{self, CommandError, Directory, MoveRequest, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Check a backup and show the objects; changes nothing
  kubectl pivot restore ./before-upgrade --dry-run

  # Into another management cluster
  kubectl pivot restore ./before-upgrade --kubeconfig other.kubeconfig

  # An encrypted backup
  kubectl pivot restore ./before-upgrade --identity key.txt --kubeconfig other.kubeconfig

  # The backups that moves have made
  kubectl pivot restore --list";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(mut_arg("kubeconfig", |arg| arg.help(
    "Kubeconfig of the management cluster to restore into [default: $KUBECONFIG, then \
     ~/.kube/config]"
)))]
pub(super) struct Args {
    /// Directory of the backup.
    #[arg(value_name = "DIR", required_unless_present = "list", add = values::backups())]
    directory: Option<PathBuf>,
    /// List the backups that moves have made in the user's state folder.
    #[arg(long, conflicts_with = "directory", help_heading = "Scope")]
    list: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    identities: IdentityArgs,
    #[command(flatten)]
    names: NamesArgs,
    /// Check the backup, show what would be created, and change nothing.
    #[arg(long, help_heading = "Safety")]
    dry_run: bool,
    /// Do not ask before restoring. Nothing is asked either when standard input is no terminal.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    /// Writes in flight at once [default: 16, and up to 128 while the API server answers as fast].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256),
        help_heading = "Tuning")]
    max_in_flight: Option<u16>,
    #[command(flatten)]
    reserved: ReservedArgs,
    #[command(flatten)]
    loss: LossArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let format = args.output.into();
    let Some(directory) = args.directory else {
        let found = commands::list_backups(&commands::backup_folder()?);
        render::show(render::structured(&found, format), |screen| {
            render::backups(&found, Timestamp::now(), screen)
        });
        return Ok(exit::OK);
    };
    let mut options = MoveOptions::new(Namespaces::All);
    options.choice = args.names.choice();
    options.max_in_flight = args.max_in_flight.map(usize::from);
    options.identities = args.identities.read()?;
    args.reserved.apply(&mut options);
    args.loss.apply(&mut options);
    let cluster = args.cluster.cluster();
    let request = MoveRequest {
        source: cluster.clone(),
        target: cluster,
        directory: Some(Directory::From(directory.clone())),
        alone: None,
        namespaces: BTreeSet::new(),
        all_namespaces: true,
        dry_run: args.dry_run,
        options,
    };
    let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
    let from = Destination { directory, manifest: true };
    let confirm = |plan: &transfer::Report| {
        context.progress.clear();
        args.yes || ask("Restore", plan)
    };
    let result = commands::restore(&run, &from, args.dry_run, confirm).await;
    context.progress.clear();
    Ok(match print_report(result, format, (context, ""))?.outcome {
        Outcome::Refused => exit::REFUSED,
        Outcome::NothingInScope => exit::NOTHING_IN_SCOPE,
        _ => exit::OK,
    })
}
