//! `kubectl pivot abort`.

use super::Context;
use super::names::label;
use super::plugin::PluginFolders;
use super::prompt;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, exit};
use crate::render;
use crate::workflow::Leftovers;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Ask, then remove the bootstrap cluster and the folder of the run
  kubectl pivot abort pivot

  # Without a question
  kubectl pivot abort pivot --yes";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, which is that of its cluster.
    #[arg(value_parser = label)]
    name: String,
    /// Do not ask.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    #[command(flatten)]
    plugins: PluginFolders,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let toolbox = args.tools.toolbox(context);
    let folders = args.plugins.folders;
    let (workflow, leftovers) =
        commands::create_leftovers(&args.name, &folders, toolbox, &context.stop).await?;
    context.progress.clear();
    // Unlike a move, this removes things: without a terminal somebody must have said yes.
    if !args.yes && !confirm(&leftovers) {
        return Err(CommandError::NotConfirmed);
    }
    workflow.abort(&leftovers).await?;
    render::print(&format!("run {} is aborted", leftovers.name));
    Ok(exit::OK)
}

fn confirm(leftovers: &Leftovers) -> bool {
    let folder = leftovers.folder.display();
    let what = match &leftovers.kind_cluster {
        Some(cluster) => format!("the kind cluster {cluster} and {folder}"),
        None => folder.to_string(),
    };
    prompt::is_possible() && prompt::confirm(&format!("Remove {what}?"))
}
