//! `kubectl pivot abort`.

use workflow::{Abort, Leftovers};

use super::Context;
use super::completion::values;
use super::names::label;
use super::prompt;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Ask, then remove the bootstrap cluster and the folder of the run
  kubectl pivot abort pivot

  # Without a question
  kubectl pivot abort pivot --yes

  # The bootstrap cluster is lost; its machines were removed by hand
  kubectl pivot abort pivot --forget";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, which is that of its cluster.
    #[arg(value_parser = label, add = values::runs())]
    name: String,
    /// Do not ask.
    #[arg(long, short, help_heading = "Safety")]
    yes: bool,
    /// Remove nothing but the folder of the run, without asking the bootstrap cluster: for one that
    /// is lost. Whatever it has created stays, machines too.
    #[arg(long, help_heading = "Safety")]
    forget: bool,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    // Unlike a move, this removes things: without a terminal somebody must have said yes.
    let agrees = |question: &str| args.yes || (prompt::is_possible() && prompt::confirm(question));
    if args.forget {
        let question = format!("Forget the run {}? Its clusters and machines stay.", args.name);
        if !agrees(&question) {
            return Err(CommandError::NotConfirmed);
        }
        Abort::forget(&args.name)?;
        render::print(&format!("run {} is forgotten", args.name));
        return Ok(exit::OK);
    }
    let toolbox = args.tools.toolbox(context);
    let (abort, leftovers) = commands::create_leftovers(&args.name, toolbox).await?;
    context.progress.clear();
    for note in &leftovers.notes {
        context.progress.events().warning(note.clone());
    }
    if !agrees(&question(&leftovers)) {
        return Err(CommandError::NotConfirmed);
    }
    abort.remove(&leftovers).await?;
    render::print(&format!("run {} is aborted", leftovers.name));
    Ok(exit::OK)
}

fn question(leftovers: &Leftovers) -> String {
    let folder = leftovers.folder.display();
    match &leftovers.kind_cluster {
        Some(cluster) => format!("Remove the kind cluster {cluster} and {folder}?"),
        None => format!("Remove {folder}?"),
    }
}
