//! `kubectl pivot diagnose`.

use std::path::PathBuf;

use super::Context;
use super::completion::values;
use super::names::label;
use super::tools::ToolArgs;
use crate::commands::{CommandError, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # Objects, events and logs of a run that has failed, in pivot-diagnosis.tar.gz
  kubectl pivot diagnose pivot

  # Another file
  kubectl pivot diagnose pivot --archive /tmp/for-support.tar.gz";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the run, which is that of its cluster.
    #[arg(value_parser = label, add = values::runs())]
    name: String,
    /// File to write, with mode 0600 [default: NAME-diagnosis.tar.gz].
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    archive: Option<PathBuf>,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let Args { name, archive, tools } = args;
    let file = archive.unwrap_or_else(|| PathBuf::from(format!("{name}-diagnosis.tar.gz")));
    let events = context.progress.events();
    events.started("diagnose", "Collect objects, events and logs");
    let toolbox = tools.toolbox(context);
    workflow::diagnose(&name, &file, &toolbox).await?;
    events.finished("");
    context.progress.clear();
    render::print(&format!(
        "{} has the journal and logs of the run, and objects, events and logs of its clusters.\n\
         Secrets and kubeconfigs are not in it; look through it before you hand it on.",
        file.display()
    ));
    Ok(exit::OK)
}
