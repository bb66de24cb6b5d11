//! The flags of output: `-o`, as kubectl has it, and `--progress`.

use clap::ValueEnum;
use transfer::{Finding, Report, Severity};

use super::{Context, next};
use crate::commands::CommandError;
use crate::render::{self, Format, ProgressView, ReportView, Screen};

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
    /// Progress on standard error: bars on a terminal and lines elsewhere (auto), lines, a JSON
    /// object for each event, or nothing.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "VIEW")]
    progress: View,
    /// More in results for people: every object, times, requests.
    #[arg(long, short, global = true)]
    verbose: bool,
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
    pub(super) fn is_verbose(&self) -> bool {
        self.verbose
    }

    pub(super) fn view(&self) -> ProgressView {
        match (self.quiet, self.progress) {
            (true, _) | (false, View::None) => ProgressView::Quiet,
            (false, View::Auto) => ProgressView::Auto,
            (false, View::Plain) => ProgressView::Plain,
            (false, View::Json) => ProgressView::Json,
        }
    }
}

/// Prints the report of a run. Of one that has failed people get the findings, and on which side
/// each Cluster is, since they read the error. `flags` name its clusters in the next command.
pub(super) fn print_report(
    result: Result<Report, CommandError>,
    format: Format,
    (context, flags): (&Context, &str),
) -> Result<Report, CommandError> {
    match result {
        Ok(report) => {
            let view =
                ReportView { is_verbose: context.is_verbose, next: next::after(&report, flags) };
            let text = render::structured(&report, format);
            render::show(text, |screen| render::report(&report, &view, screen));
            Ok(report)
        }
        Err(error) => {
            if let CommandError::Failed { report, .. } = &error {
                match render::structured(report, format) {
                    Some(text) => render::print(&text),
                    None => {
                        let is_error = |finding: &Finding| finding.severity == Severity::Error;
                        let is_refused = report.findings.iter().any(is_error);
                        let text = |screen: &Screen| {
                            // The hint of the error speaks of the findings.
                            let found = match is_refused {
                                true => {
                                    render::findings(&report.findings, screen, context.is_verbose)
                                }
                                false => String::new(),
                            };
                            let states = render::cluster_states(&report.cluster_states, false);
                            format!("{found}{states}")
                        };
                        if is_refused || !report.cluster_states.is_empty() {
                            render::show(None, text);
                        }
                    }
                }
            }
            Err(error)
        }
    }
}
