//! `kubectl pivot status`.

use super::Context;
use super::clusters::ClustersArgs;
use super::output::Output;
use crate::commands::{self, CommandError, exit};
use crate::render;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    clusters: ClustersArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let run =
        commands::connect(&args.clusters.request(), &context.progress.events(), &context.stop)
            .await?;
    let status = commands::status(&run.source, &run.target).await?;
    render::print(
        &render::structured(&status, args.output.into()).unwrap_or_else(|| render::status(&status)),
    );
    Ok(exit::OK)
}
