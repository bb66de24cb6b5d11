//! `kubectl pivot resume`.

use transfer::{Outcome, Role};

use super::Context;
use super::allow::AllowArgs;
use super::backups::{BackupArgs, keep_to};
use super::clusters::OneOrTwoArgs;
use super::completion::values;
use super::duration::seconds;
use super::names::label;
use super::next;
use super::output::{Output, print_report};
use super::pace::PaceArgs;
use super::probes::ProbeArgs;
use super::take_over::{GoneArg, TakeOverArgs};
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, CreateResumeRequest, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Finish an interrupted move, with the kubeconfigs of the move
  kubectl pivot resume --kubeconfig source.kubeconfig --to-kubeconfig target.kubeconfig

  # Finish a run of create
  kubectl pivot resume pivot

  # Reach its target at another address
  kubectl pivot resume pivot --to-kubeconfig target.kubeconfig

  # The source cluster is gone for good
  kubectl pivot resume --source-is-gone --to-kubeconfig target.kubeconfig";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of a run of create [default: a move between two clusters, named by flags].
    #[arg(value_parser = label, conflicts_with_all = ["kubeconfig", "context", "to_context"],
        add = values::runs())]
    name: Option<String>,
    /// Seconds that each wait of a run of create may take [default: as it was begun].
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "name",
        help_heading = "Tuning")]
    timeout: Option<u64>,
    #[command(flatten)]
    clusters: OneOrTwoArgs,
    #[command(flatten)]
    backups: BackupArgs,
    #[command(flatten)]
    take_over: TakeOverArgs,
    /// Take the lock at once, without watching whether its holder still renews it, and wait 8 s
    /// before the first write. Make sure that the holder is dead.
    #[arg(long, help_heading = "Safety")]
    force_unlock: bool,
    /// The source is gone for good: finish the move in the target alone, which has to hold
    /// all copies by then. Refused while the address of the source accepts connections; with
    /// `=sure` whatever has that address now.
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "checked",
        conflicts_with_all = ["name", "kubeconfig", "context"], help_heading = "Safety")]
    source_is_gone: Option<GoneArg>,
    #[command(flatten)]
    allow: AllowArgs,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    probes: ProbeArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    if let Some(name) = args.name {
        let toolbox = args.tools.toolbox(context);
        let request = CreateResumeRequest {
            name,
            skip_probes: args.probes.skipped(),
            timeout: args.timeout,
            to_kubeconfig: args.clusters.target_file(),
            plugins: args.probes.places(),
        };
        let report = commands::create_resume(request, toolbox, &context.stop).await?;
        context.progress.clear();
        let text = render::structured(&report, args.output.into());
        render::show(text, |screen| render::pivot(&report, screen));
        return Ok(exit::OK);
    }
    if let Some(gone) = args.source_is_gone {
        let mut request = args.clusters.request_without(Role::Source);
        request.options.take_over = args.take_over.asking("Finish without its source", context);
        let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
        let result = commands::resume_without_source(&run, args.force_unlock, gone.into()).await;
        context.progress.clear();
        print_report(result, args.output.into(), (context, ""))?;
        return Ok(exit::OK);
    }
    let mut request = args.clusters.request();
    args.pace.apply(&mut request.options);
    args.allow.apply(&mut request.options);
    request.options.take_over = args.take_over.asking("Resume", context);
    request.options.probes = Some(args.probes.options()?);
    args.backups.apply(&mut request.options)?;
    let flags = next::flags(&request);
    let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
    let result = commands::resume(&run, args.force_unlock).await;
    context.progress.clear();
    let report = print_report(result, args.output.into(), (context, &flags))?;
    if matches!(report.outcome, Outcome::Moved | Outcome::Replaced) {
        keep_to(args.backups.limit(), &report.run, &run.events);
    }
    Ok(if report.has_bad_probes() { exit::NOT_VERIFIED } else { exit::OK })
}
