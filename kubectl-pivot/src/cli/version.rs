//! `kubectl pivot version`.

use kubectl_pivot_plugin_api::PROTOCOL;
use serde::Serialize;

use super::output::Output;
use crate::commands::{CommandError, exit};
use crate::render;

/// Examples of the help.
pub(super) const EXAMPLES: &str = "Examples:
  # For people
  kubectl pivot version

  # For scripts
  kubectl pivot version -o json";

/// Arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Output format.
    #[arg(long, short, value_enum, default_value_t, help_heading = "Output")]
    output: Output,
}

/// The document that `-o json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    name: &'static str,
    version: &'static str,
    plugin_protocol: String,
    platform: String,
}

pub(super) fn run(args: &Args) -> Result<u8, CommandError> {
    let version = Version {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        plugin_protocol: PROTOCOL.to_string(),
        platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    };
    let text = render::structured(&version, args.output.into());
    render::print(&text.unwrap_or_else(|| {
        format!(
            "{} {}\nplugin protocol {}\n{}",
            version.name, version.version, version.plugin_protocol, version.platform
        )
    }));
    Ok(exit::OK)
}
