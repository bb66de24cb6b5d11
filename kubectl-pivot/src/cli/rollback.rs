//! `kubectl pivot rollback`.

use super::Context;
use super::clusters::ClustersArgs;
use crate::commands::{self, CommandError, exit};
use crate::render;
use crate::transfer;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    clusters: ClustersArgs,
    /// Take the lock even if its holder seems alive. If it is, both write at once: make sure that it
    /// is dead.
    #[arg(long)]
    force_unlock: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let run =
        commands::connect(&args.clusters.request()?, &context.progress.events(), &context.stop)
            .await?;
    let record = transfer::rollback(&run, args.force_unlock).await?;
    context.progress.clear();
    render::print(&format!(
        "Rolled back the move {} begun {}: the source is as before",
        record.run, record.started
    ));
    Ok(exit::OK)
}
