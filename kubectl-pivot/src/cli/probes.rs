//! Readiness probes, as flags.

use probes::Skips;
use transfer::ProbeOptions;

use super::completion::values;
use super::plugin::PluginFolders;
use crate::commands::{CommandError, PluginPlaces, plugin_registry_in_part};

/// The choice of readiness probes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Plugins and probes")]
pub(super) struct ProbeArgs {
    /// Leave out readiness probes: PLUGIN, PLUGIN/PROBE or PROBE; can be given more than once, and
    /// with commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', add = values::plugins())]
    skip_probes: Vec<String>,
    #[command(flatten)]
    plugins: PluginFolders,
}

impl ProbeArgs {
    /// Places of plugins.
    pub(super) fn places(&self) -> PluginPlaces {
        self.plugins.clone().into()
    }

    /// The names of probes that are left out.
    pub(super) fn skipped(&self) -> Vec<String> {
        self.skip_probes.clone()
    }

    /// The options of a move, which a damaged lock file of plugins does not stop.
    ///
    /// # Errors
    /// When the search path of plugins is unusable.
    pub(super) fn options(self) -> Result<ProbeOptions, CommandError> {
        let plugins = plugin_registry_in_part(&self.places())?;
        Ok(ProbeOptions { plugins: plugins.into(), skips: Skips::new(self.skip_probes) })
    }
}
