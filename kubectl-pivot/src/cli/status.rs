//! `kubectl pivot status`.

use super::Context;
use super::clusters::OneOrTwoArgs;
use super::completion::values;
use super::names::label;
use super::next;
use super::output::Output;
use crate::commands::{self, CommandError, PivotRuns, Status, exit};
use crate::render::{self, Format, Screen};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # The runs in both clusters of a move
  kubectl pivot status --kubeconfig source.kubeconfig --to-kubeconfig target.kubeconfig

  # Follow a move until it ends
  kubectl pivot status --to-kubeconfig target.kubeconfig --watch

  # All runs of create on this machine
  kubectl pivot status --all";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of a run of create [default: a move between two clusters, named by flags].
    #[arg(value_parser = label, conflicts_with_all = ["kubeconfig", "context", "to_kubeconfig",
        "to_context"],
        add = values::runs())]
    name: Option<String>,
    /// All runs of create on this machine.
    #[arg(long, conflicts_with_all = ["name", "to_kubeconfig", "to_context"],
        help_heading = "Scope")]
    all: bool,
    #[command(flatten)]
    clusters: OneOrTwoArgs,
    /// Show it again whenever it has changed, until no run is at work.
    #[arg(long, short, help_heading = "Output")]
    watch: bool,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

async fn of_create(args: &Args, context: &Context) -> Result<u8, CommandError> {
    let format = Format::from(args.output);
    let text = |runs: &PivotRuns| {
        render::structured(runs, format)
            .unwrap_or_else(|| render::runs(&runs.items, &Screen::of_stdout()))
    };
    let name = args.name.as_deref();
    if !args.watch {
        render::print(&text(&commands::create_status(name)?));
        return Ok(exit::OK);
    }
    let mut live = render::Live::on_stdout(format == Format::Table);
    commands::watch_create(name, &context.stop, |runs| live.show(&text(runs))).await?;
    Ok(if context.stop.is_requested() { exit::INTERRUPTED } else { exit::OK })
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let format = Format::from(args.output);
    if args.all || args.name.is_some() {
        return of_create(&args, context).await;
    }
    let request = args.clusters.request();
    let flags = next::flags(&request);
    let run = commands::connect(&request, &context.progress.events(), &context.stop).await?;
    let text = |status: &Status| {
        render::structured(status, format)
            .unwrap_or_else(|| render::status(status, &flags, &Screen::of_stdout()))
    };
    if !args.watch {
        render::print(&text(&commands::status(&run).await?));
        return Ok(exit::OK);
    }
    let mut live = render::Live::on_stdout(format == Format::Table);
    commands::watch_status(&run, |status| live.show(&text(status))).await?;
    Ok(if run.stop.is_requested() { exit::INTERRUPTED } else { exit::OK })
}
