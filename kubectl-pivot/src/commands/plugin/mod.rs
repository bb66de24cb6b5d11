//! `plugin`: what there is, what is wrong with it, and what is trusted.
//!
//! Only `info` of a trusted plugin, `check`, `install` and `trust` run a plugin's code.

mod change;
mod check;
mod go_template;
mod info;
mod list;
mod new;
mod template;

pub use change::{ChangedPlugin, plugin_install, plugin_remove, plugin_trust};
pub use check::{PluginCheck, plugin_check};
pub use info::{PluginDetails, PluginProbe, plugin_info};
pub use list::{
    PluginList, PluginSummary, TrustWord, plugin_list, plugin_registry, plugin_registry_in_part,
};
pub use new::{Language, NewPlugin, NewPluginError, NewPluginRequest, plugin_new};
