//! `kubectl pivot explain`.

use clap::builder::PossibleValuesParser;

use super::output::Output;
use crate::commands::{self, CommandError, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # One finding, by the name in the brackets behind it
  kubectl pivot explain ProviderOlder

  # All findings, for scripts
  kubectl pivot explain -o json";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rule of a finding, as in the brackets behind it [default: all rules].
    #[arg(
        value_name = "RULE",
        value_parser = PossibleValuesParser::new(commands::explanations().iter().map(|one| one.rule)),
        hide_possible_values = true,
        ignore_case = true
    )]
    rule: Option<String>,
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

pub(super) fn run(args: &Args) -> Result<u8, CommandError> {
    let all = commands::explanations();
    let format = args.output.into();
    let asked = args.rule.as_deref();
    let one = asked.and_then(|asked| all.iter().find(|one| one.rule.eq_ignore_ascii_case(asked)));
    render::print(&match one {
        Some(one) => render::structured(one, format).unwrap_or_else(|| render::explanation(one)),
        None => render::structured(&all, format).unwrap_or_else(|| render::explanations(all)),
    });
    Ok(exit::OK)
}
