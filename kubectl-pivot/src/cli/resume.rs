//! `kubectl pivot resume`.

use super::Context;
use super::clusters::ClustersArgs;
use super::output::Output;
use super::pace::PaceArgs;
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
    #[command(flatten)]
    pace: PaceArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let mut request = args.clusters.request();
    args.pace.apply(&mut request.options);
    let run = commands::connect(&request, &context.progress.events(), &context.stop).await?;
    let report = transfer::resume(&run, args.force_unlock).await?;
    context.progress.clear();
    render::print(
        &render::structured(&report, args.output.into())
            .unwrap_or_else(|| render::report(&report, false)),
    );
    Ok(exit::OK)
}
