//! `kubectl pivot doctor`.

use std::path::PathBuf;

use transfer::{MoveError, PhaseError};

use super::Context;
use super::output::Output;
use super::tools::ToolArgs;
use crate::commands::{self, CommandError, DoctorRequest, Health, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # All checks
  kubectl pivot doctor

  # With a mirror instead of the usual registries, for scripts
  kubectl pivot doctor --registry mirror.example:5000 -o json";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration of clusterctl [default: where clusterctl looks for it].
    #[arg(long, value_name = "FILE", help_heading = "Checks")]
    clusterctl_config: Option<PathBuf>,
    /// Host that must be reachable instead of the usual registries, for example a mirror; can be
    /// given more than once.
    #[arg(long = "registry", value_name = "HOST[:PORT]", help_heading = "Checks")]
    registries: Vec<String>,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
    #[command(flatten)]
    tools: ToolArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<u8, CommandError> {
    let events = context.progress.events();
    let mut toolbox = args.tools.toolbox(context);
    // What docker prints is an answer to be judged, not progress.
    toolbox.events = support::journal::Events::none();
    let request = DoctorRequest {
        toolbox,
        clusterctl_config: args.clusterctl_config,
        registries: args.registries,
    };
    events.started("doctor", "Examine this machine");
    let diagnosis = commands::doctor(&request, &events).await;
    events.finished(format!("{} checks", diagnosis.checks.len()));
    context.progress.clear();
    if context.stop.is_requested() {
        return Err(CommandError::Move(MoveError::Unprepared(PhaseError::Interrupted)));
    }
    render::show(render::structured(&diagnosis, args.output.into()), |screen| {
        render::diagnosis(&diagnosis, screen)
    });
    Ok(if diagnosis.count(Health::Problem) == 0 { exit::OK } else { exit::NOT_VERIFIED })
}
