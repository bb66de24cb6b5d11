//! `plugin`: what there is, what is wrong with it, and what is trusted.
//!
//! Only `info` of a trusted plugin, `check`, `install` and `trust` run a plugin's code.

mod api_sources;
mod artifact;
mod change;
mod check;
mod go_template;
mod info;
mod list;
mod new;
mod outdated;
mod package;
mod rendered;
mod template;

pub use artifact::{ArtifactChoice, PluginOffer, plugin_install_artifact, plugin_install_locked};
pub use change::{ChangedPlugin, plugin_install, plugin_remove, plugin_trust};
pub use check::{PluginCheck, plugin_check};
pub use info::{PluginDetails, PluginProbe, plugin_info};
pub use list::{
    PluginList, PluginPlaces, PluginSummary, TrustWord, plugin_list, plugin_registry,
    plugin_registry_in_part,
};
pub use new::{Language, NewPlugin, NewPluginError, NewPluginRequest, plugin_new};
pub use outdated::{OutdatedPlugin, OutdatedPlugins, plugin_outdated, plugin_upgrade};
pub use package::{PackageRequest, PackagedPlugin, plugin_package};
pub use rendered::RenderedChecks;
