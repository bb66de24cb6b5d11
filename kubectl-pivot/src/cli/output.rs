//! The flags of output: `-o`, as kubectl has it, and `--progress`.

use clap::ValueEnum;

use crate::commands::CommandError;
use crate::render::{self, Format, ProgressView};
use crate::transfer::Report;

/// Output formats. Documented variants would make clap print every help in its long form.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Output {
    #[default]
    Table,
    Json,
    Yaml,
}

impl From<Output> for Format {
    fn from(output: Output) -> Self {
        match output {
            Output::Table => Self::Table,
            Output::Json => Self::Json,
            Output::Yaml => Self::Yaml,
        }
    }
}

/// Progress on standard error, for all commands.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(super) struct ProgressArgs {
    /// Progress on standard error: bars on a terminal and lines elsewhere (auto), lines, a JSON object
    /// for each event, or nothing.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "VIEW")]
    progress: View,
    /// Show no progress on standard error, as --progress none.
    #[arg(long, short, global = true, conflicts_with = "progress")]
    quiet: bool,
}

/// Views of progress.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum View {
    #[default]
    Auto,
    Plain,
    Json,
    None,
}

impl ProgressArgs {
    pub(super) fn view(&self) -> ProgressView {
        match (self.quiet, self.progress) {
            (true, _) | (false, View::None) => ProgressView::Quiet,
            (false, View::Auto) => ProgressView::Auto,
            (false, View::Plain) => ProgressView::Plain,
            (false, View::Json) => ProgressView::Json,
        }
    }
}

/// Prints the report of a run. Of one that has failed people read the error, and see on which side each Cluster is.
pub(super) fn print_report(
    result: Result<Report, CommandError>,
    format: Format,
) -> Result<Report, CommandError> {
    match result {
        Ok(report) => {
            let text = render::structured(&report, format);
            render::print(&text.unwrap_or_else(|| render::report(&report, false)));
            Ok(report)
        }
        Err(error) => {
            if let CommandError::Failed { report, .. } = &error {
                let text = render::structured(report, format);
                let text =
                    text.unwrap_or_else(|| render::cluster_states(&report.cluster_states, false));
                if !text.is_empty() {
                    render::print(&text);
                }
            }
            Err(error)
        }
    }
}
