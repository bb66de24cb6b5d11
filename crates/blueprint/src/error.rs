//! Errors about descriptions that plugins give.

use kubectl_pivot_plugin_api::PluginError;
use plugin_host::{CallError, LoadError};

use crate::template::TemplateError;

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
    /// The template of the provider cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The network is not known.
    #[error("the plugin `{0}` does not say which network its clusters get")]
    NoCni(String),
    /// The network that the infrastructure wants is not there.
    #[error("the plugin `{infrastructure}` wants the network `{network}`")]
    NoDefaultNetwork {
        /// Name of the infrastructure plugin.
        infrastructure: String,
        /// Name of the CNI plugin.
        network: String,
        /// The cause.
        source: LoadError,
    },
    /// The plan is of a newer version of the plugin API.
    #[error(
        "the plugin `{0}` plans its network in a way that this version of kubectl-pivot does not \
         know"
    )]
    UnknownPlan(String),
    /// A part after the network has a plan of a newer version of the plugin API.
    #[error(
        "the plugin `{plugin}` plans the add-on `{addon}` in a way that this version of \
         kubectl-pivot does not know"
    )]
    UnknownAddon {
        /// Name of the plugin.
        plugin: String,
        /// Name of the part.
        addon: String,
    },
}
