//! `kubectl pivot verify`.

use std::time::Duration;

use support::journal::Event;
use transfer::{Acceptance, Check, MoveError, Waiting, accept};

use super::Context;
use super::choice::{ChoiceArgs, NamespaceArgs};
use super::clusters::ClustersArgs;
use super::duration::seconds;
use super::output::Output;
use crate::commands::{self, CommandError, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Right after a move: wait up to five minutes for the controllers of the target
  kubectl pivot verify --kubeconfig source.kubeconfig --to-kubeconfig target.kubeconfig --timeout 5m

  # Look once, without watching the Machines
  kubectl pivot verify --to-kubeconfig target.kubeconfig -A --settle 0";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    clusters: ClustersArgs,
    #[command(flatten)]
    namespaces: NamespaceArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Seconds during which no Machine may be created or deleted; 0 leaves this out.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 60,
        help_heading = "Tuning")]
    settle: u64,
    /// Seconds to look again while something does not hold; 0 looks once.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value_t = 0,
        help_heading = "Tuning")]
    timeout: u64,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let events = context.progress.events();
    let mut request = args.clusters.request();
    request.options.choice = args.choice.choice();
    request.namespaces = args.namespaces.names();
    request.all_namespaces = args.namespaces.all_namespaces;
    let run = commands::connect(&request, &events, &context.stop).await?;
    let (namespaces, choice) = (run.options.namespaces.clone(), run.options.choice.clone());
    let settle = Duration::from_secs(args.settle);
    let acceptance = Acceptance { namespaces, choice, settle };
    let waiting = Waiting { timeout: Duration::from_secs(args.timeout), stop: &context.stop };
    events.started("verify", "Verify both clusters");
    let checks = accept(&run.source, &run.target, &acceptance, (&waiting, &events))
        .await
        .map_err(|error| CommandError::Move(MoveError::Unprepared(error)))?;
    match checks.iter().all(Check::holds) {
        true => events.finished(""),
        false => events.send(Event::Failed),
    }
    context.progress.clear();
    let text = render::structured(&checks, args.output.into());
    render::show(text, |screen| render::checks(&checks, screen));
    Ok(if checks.iter().all(Check::holds) { exit::OK } else { exit::NOT_VERIFIED })
}
