//! Errors about descriptions that plugins give.

use kubectl_pivot_plugin_api::PluginError;
use plugin_host::{CallError, LoadError};

/// Errors about descriptions that plugins give.
#[derive(Debug, thiserror::Error)]
pub enum BlueprintError {
    /// A plugin is not there or not usable.
    #[error(transparent)]
    Plugin(#[from] LoadError),
    /// A plugin refuses, or gives no usable answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A variable is wrong.
    #[error(transparent)]
    Variable(PluginError),
    /// The network is not known.
    #[error("the plugin `{0}` does not say which network its clusters get")]
    NoCni(String),
    /// The plan is of a newer version of the plugin API.
    #[error(
        "the plugin `{0}` plans its network in a way that this version of kubectl-pivot does not know"
    )]
    UnknownPlan(String),
}
