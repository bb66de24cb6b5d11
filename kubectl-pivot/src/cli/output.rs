//! `-o`, as kubectl has it.

use clap::ValueEnum;

use crate::commands::CommandError;
use crate::render::{self, Format};
use crate::transfer::Report;

/// Output formats.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Output {
    /// For people.
    #[default]
    Table,
    /// JSON.
    Json,
    /// YAML.
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

/// Prints the report of a run; of one that has failed only for machines, since people read the error.
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
            if let CommandError::Failed { report, .. } = &error
                && let Some(text) = render::structured(report, format)
            {
                render::print(&text);
            }
            Err(error)
        }
    }
}
