//! `kubectl pivot demo`.

use super::Context;
use super::sandbox::PartsArgs;
use crate::called;
use crate::commands::{self, CommandError, DemoOptions, DemoStage, exit};
use crate::render::{self, ReportView, Screen};

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Three clusters move
  kubectl pivot demo

  # With Cluster API's controllers before and after the move
  kubectl pivot demo --controllers

  # Keep both control planes to look around
  kubectl pivot demo --fleet 8 --keep";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Clusters to move.
    #[arg(long, value_name = "C", default_value_t = 3, help_heading = "Fleet")]
    fleet: usize,
    /// Worker machines of each.
    #[arg(long, value_name = "W", default_value_t = 3, help_heading = "Fleet")]
    workers: usize,
    /// Run Cluster API's controllers: they provision the clusters and take them over after the
    /// move.
    #[arg(long, help_heading = "Control planes")]
    controllers: bool,
    /// Leave the two management clusters running afterwards.
    #[arg(long, help_heading = "Control planes")]
    keep: bool,
    #[command(flatten)]
    parts: PartsArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let options = DemoOptions {
        fleet: args.fleet,
        workers: args.workers,
        controllers: args.controllers,
        keep: args.keep,
        parts: args.parts.into(),
    };
    let show = |stage| {
        context.progress.clear();
        render::show(None, |screen| describe(stage, args.controllers, screen));
    };
    let holds = commands::demo(&options, &context.progress.events(), &context.stop, show).await?;
    context.progress.clear();
    if !options.keep {
        render::print(&called::in_text(NEXT));
    }
    Ok(if holds { exit::OK } else { exit::NOT_VERIFIED })
}

fn describe(stage: DemoStage, controllers: bool, screen: &Screen) -> String {
    let tables = |source, target| {
        let table = |table| render::kubectl_table(&table, false);
        format!(
            "\n$ kubectl --kubeconfig source.kubeconfig get clusters\n{}\n$ kubectl --kubeconfig \
             target.kubeconfig get clusters\n{}",
            table(source),
            table(target)
        )
    };
    match stage {
        DemoStage::Before { source, target } => tables(source, target),
        DemoStage::After { source, target } if controllers => tables(source, target),
        DemoStage::After { source, target } => tables(source, target) + STATUS_IS_EMPTY,
        DemoStage::Verified(checks) => {
            format!("\n{}", render::checks(&checks, &Screen::of_stdout()))
        }
        DemoStage::Plan(report) => {
            format!("\nPlan: nothing is changed yet\n{}", render::move_plan(&report, screen, false))
        }
        DemoStage::Done(report) => {
            format!("\n{}", render::report(&report, &ReportView::default(), screen))
        }
        DemoStage::Kept(sandbox) => format!(
            "\nBoth clusters keep running:\n\n{}\nLook around, then: {} sandbox down --name {}\n",
            render::sandboxes(std::slice::from_ref(&sandbox), &Screen::of_stdout()),
            called::words(),
            sandbox.name
        ),
    }
}

/// Explains the empty columns in the table of the target.
const STATUS_IS_EMPTY: &str = "
(The columns from status are empty: a move does not copy status, the controllers of the target fill
it in again, and the demo runs none.)
";

const NEXT: &str = "
Both control planes have been ended. What to try next:
  kubectl pivot demo --fleet 50                   more clusters
  kubectl pivot demo --controllers                real controllers before and after the move
  kubectl pivot demo --keep                       keep both clusters and look around
  kubectl pivot move --to-kubeconfig FILE --dry-run   plan a move of your own
";
