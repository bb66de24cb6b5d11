//! `kubectl pivot abort`.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::Context;
use super::names::label;
use super::plugin::PluginFolders;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, exit};
use crate::render;
use crate::workflow::Leftovers;

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, which is that of its cluster.
    #[arg(value_parser = label)]
    name: String,
    /// Do not ask.
    #[arg(long, short)]
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
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let what = match &leftovers.kind_cluster {
        Some(cluster) => format!("the kind cluster {cluster} and {}", leftovers.folder.display()),
        None => leftovers.folder.display().to_string(),
    };
    let mut err = anstream::stderr().lock();
    let _ = write!(err, "Remove {what}? [y/N] ");
    let _ = err.flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok()
        && matches!(answer.trim(), "y" | "Y" | "yes")
}
