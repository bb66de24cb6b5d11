//! `kubectl pivot verify`.

use std::time::Duration;

use super::Context;
use super::clusters::ClustersArgs;
use super::names::label;
use super::output::Output;
use crate::commands::{self, CommandError, exit};
use crate::journal::Event;
use crate::render;
use crate::transfer::{Acceptance, Check, MoveError, Namespaces, Waiting, accept};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Right after a move: wait up to five minutes for the controllers of the target
  kubectl pivot verify --kubeconfig source.kubeconfig --to-kubeconfig target.kubeconfig --timeout 300

  # Look once, without watching the Machines
  kubectl pivot verify --to-kubeconfig target.kubeconfig -A --settle 0";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    clusters: ClustersArgs,
    /// Namespace that was moved [default: that of the source's context].
    #[arg(long, short, value_name = "NAMESPACE", value_parser = label, conflicts_with = "all_namespaces", help_heading = "Scope")]
    namespace: Option<String>,
    /// All namespaces were moved.
    #[arg(long, short = 'A', help_heading = "Scope")]
    all_namespaces: bool,
    /// Seconds during which no Machine may be created or deleted; 0 leaves this out.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, help_heading = "Tuning")]
    settle: u64,
    /// Seconds to look again while something does not hold; 0 looks once.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, help_heading = "Tuning")]
    timeout: u64,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let events = context.progress.events();
    let run = commands::connect(&args.clusters.request(), &events, &context.stop).await?;
    let namespaces = match (args.namespace, args.all_namespaces) {
        (_, true) => Namespaces::All,
        (Some(namespace), false) => Namespaces::One(namespace),
        (None, false) => Namespaces::One(run.source.default_namespace().to_owned()),
    };
    let acceptance = Acceptance { namespaces, settle: Duration::from_secs(args.settle) };
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
    render::print(
        &render::structured(&checks, args.output.into()).unwrap_or_else(|| render::checks(&checks)),
    );
    Ok(if checks.iter().all(Check::holds) { exit::OK } else { exit::NOT_VERIFIED })
}
