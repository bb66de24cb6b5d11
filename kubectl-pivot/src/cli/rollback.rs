//! `kubectl pivot rollback`.

use super::Context;
use super::clusters::OneOrTwoArgs;
use crate::commands::{self, CommandError, exit};
use crate::render;
use crate::transfer::Operation;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    clusters: OneOrTwoArgs,
    /// Take the lock at once, without watching whether its holder still renews it, and wait 8 s before
    /// the first write. Make sure that the holder is dead.
    #[arg(long)]
    force_unlock: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let run = commands::connect(&args.clusters.request(), &context.events_of_run(), &context.stop)
        .await?;
    let record = commands::rollback(&run, args.force_unlock).await?;
    context.progress.clear();
    render::print(&format!(
        "Rolled back the {} {} begun {}: {}",
        record.operation,
        record.run,
        record.started,
        match record.operation {
            Operation::Move | Operation::Backup => "the source is as before",
            Operation::Restore => "what it had created is gone",
        }
    ));
    Ok(exit::OK)
}
