//! `kubectl pivot resume`.

use super::Context;
use super::clusters::ClustersArgs;
use super::output::Output;
use super::pace::PaceArgs;
use super::plugin::PluginFolders;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, exit};
use crate::render;
use crate::transfer;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of a run of create [default: a move between two clusters, named by flags].
    #[arg(conflicts_with_all = ["kubeconfig", "kubeconfig_context", "to_kubeconfig", "to_kubeconfig_context"])]
    name: Option<String>,
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
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    if let Some(name) = args.name {
        let (toolbox, folders) = (args.tools.toolbox(context), args.plugins.folders);
        let report = commands::create_resume(&name, &folders, toolbox, &context.stop).await?;
        context.progress.clear();
        render::print(
            &render::structured(&report, args.output.into())
                .unwrap_or_else(|| render::pivot(&report)),
        );
        return Ok(exit::OK);
    }
    let mut request = args.clusters.request()?;
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
