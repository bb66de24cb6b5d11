//! `kubectl pivot rollback`.

use transfer::{Operation, Role};

use super::Context;
use super::clusters::OneOrTwoArgs;
use super::take_over::{GoneArg, TakeOverArgs};
use crate::commands::{self, CommandError, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Undo an interrupted move, with the kubeconfigs of the move
  kubectl pivot rollback --kubeconfig source.kubeconfig --to-kubeconfig target.kubeconfig

  # Resume the Clusters of a backup that was killed
  kubectl pivot rollback --kubeconfig source.kubeconfig

  # The target cluster is gone for good
  kubectl pivot rollback --target-is-gone --kubeconfig source.kubeconfig";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    clusters: OneOrTwoArgs,
    /// Take the lock at once, without watching whether its holder still renews it, and wait 8 s
    /// before the first write. Make sure that the holder is dead.
    #[arg(long, help_heading = "Safety")]
    force_unlock: bool,
    /// The target is gone for good: give the Clusters of the source their pause state back, if
    /// nothing can have been deleted there. Refused while the address of the target accepts
    /// connections; with `=sure` whatever has that address now.
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "checked",
        conflicts_with_all = ["to_kubeconfig", "to_context"], help_heading = "Safety")]
    target_is_gone: Option<GoneArg>,
    /// The source is gone for good: remove the copies from the target, if they were not complete.
    /// Refused while the address of the source accepts connections; with `=sure` whatever has that
    /// address now.
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "checked",
        conflicts_with_all = ["target_is_gone", "kubeconfig", "context"], help_heading = "Safety")]
    source_is_gone: Option<GoneArg>,
    /// The records of the run are gone from both clusters: go by the marks on its objects. Make
    /// sure that these two clusters are its source and target. Refused if objects may have been
    /// deleted from the source.
    #[arg(long, conflicts_with_all = ["target_is_gone", "source_is_gone"], help_heading = "Safety")]
    from_marks: bool,
    #[command(flatten)]
    take_over: TakeOverArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let missing = match (args.source_is_gone, args.target_is_gone) {
        (Some(gone), _) => Some((Role::Source, gone.into())),
        (None, Some(gone)) => Some((Role::Target, gone.into())),
        (None, None) => None,
    };
    let mut request = match missing {
        Some((role, _)) => args.clusters.request_without(role),
        None => args.clusters.request(),
    };
    request.options.take_over = args.take_over.asking("Roll back", context);
    let run = commands::connect(&request, &context.events_of_run(), &context.stop).await?;
    let record = match missing {
        Some(missing) => commands::rollback_without(&run, missing, args.force_unlock).await?,
        None if args.from_marks => commands::rollback_from_marks(&run, args.force_unlock).await?,
        None => commands::rollback(&run, args.force_unlock).await?,
    };
    context.progress.clear();
    if let Some(moved) = render::moved_before(&record) {
        render::print(&moved);
    }
    render::print(&format!(
        "Rolled back the {} {} started {}: {}",
        record.operation,
        record.run,
        record.started,
        match record.operation {
            Operation::Move if args.source_is_gone.is_some() => "the target holds no copy",
            Operation::Move | Operation::Backup => "the source is as before",
            Operation::Restore => "all objects that it created are gone",
        }
    ));
    Ok(exit::OK)
}
