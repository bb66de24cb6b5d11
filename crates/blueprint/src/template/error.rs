//! Errors about templates of providers.

use support::yaml::YamlError;
use tools::ToolError;

/// Errors about templates of providers.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// clusterctl is missing or fails.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// No version of the provider is known.
    #[error("the template of the provider `{0}` has no version")]
    NoVersion(String),
    /// clusterctl prints something else.
    #[error("the template of the provider `{provider}` gives no YAML")]
    NotYaml {
        /// Name of the provider.
        provider: String,
        /// The cause.
        source: YamlError,
    },
    /// The template is of something else.
    #[error("the template of the provider `{provider}` has no Cluster {namespace}/{name}")]
    NoCluster {
        /// Name of the provider.
        provider: String,
        /// Namespace of the Cluster.
        namespace: String,
        /// Name of the Cluster.
        name: String,
    },
    /// A flag has no effect on the template.
    #[error("the template of the provider `{provider}` ignores {flag}: {what} is {found}")]
    Ignored {
        /// Name of the provider.
        provider: String,
        /// The flag.
        flag: &'static str,
        /// The field.
        what: String,
        /// The value of the field.
        found: String,
    },
    /// A change of the plugin finds no object.
    #[error("plugin `{plugin}` changes a {kind}, but the template of {provider} has none")]
    NothingToChange {
        /// Name of the plugin.
        plugin: String,
        /// The kind, with its version.
        kind: String,
        /// Name and version of the provider.
        provider: String,
    },
    /// The plugin has made another plan meanwhile, or nobody has generated it.
    #[error("the template of the provider `{0}` was not generated, or for another plan")]
    NotGenerated(String),
}

impl TemplateError {
    /// Returns the next step for the user.
    pub fn hint(&self) -> String {
        match self {
            Self::Tool(error) => error.hint(),
            Self::NoVersion(name) => {
                format!("give one with --provider infrastructure={name}:VERSION")
            }
            Self::NotYaml { .. } | Self::NoCluster { .. } => {
                "look at what `clusterctl generate cluster` prints; a clusterctl.yaml may name \
                 another \
                 repository for the provider"
                    .to_owned()
            }
            Self::Ignored { .. } => {
                "choose another flavour (--set flavour=NAME), leave the flag out, or write the \
                 manifests with \
                 `kubectl pivot render`, change them, and give them with --cluster-manifest FILE"
                    .to_owned()
            }
            Self::NothingToChange { .. } => {
                "use the version of the provider that the plugin is for (leave \
                 `provider-version` and `flavour` \
                 as they are), or another version of the plugin"
                    .to_owned()
            }
            Self::NotGenerated(_) => {
                "report this to the author of the plugin: the same question has to get the same \
                 answer"
                    .to_owned()
            }
        }
    }
}
