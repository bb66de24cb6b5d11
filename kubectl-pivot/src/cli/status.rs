//! `kubectl pivot status`.

use super::Context;
use super::clusters::ClustersArgs;
use super::output::Output;
use crate::commands::{self, CommandError, exit};
use crate::render;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of a run of create [default: a move between two clusters, named by flags].
    #[arg(conflicts_with_all = ["kubeconfig", "kubeconfig_context", "to_kubeconfig", "to_kubeconfig_context"])]
    name: Option<String>,
    /// All runs of create on this machine.
    #[arg(long, conflicts_with_all = ["name", "to_kubeconfig", "to_kubeconfig_context"])]
    all: bool,
    #[command(flatten)]
    clusters: ClustersArgs,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    if args.all || args.name.is_some() {
        let runs = commands::create_status(args.name.as_deref())?;
        render::print(
            &render::structured(&runs, args.output.into()).unwrap_or_else(|| render::runs(&runs)),
        );
        return Ok(exit::OK);
    }
    let run =
        commands::connect(&args.clusters.request()?, &context.progress.events(), &context.stop)
            .await?;
    let status = commands::status(&run.source, &run.target).await?;
    render::print(
        &render::structured(&status, args.output.into()).unwrap_or_else(|| render::status(&status)),
    );
    Ok(exit::OK)
}
