//! Plugins that describe a provider honestly and render nothing.

use crate::bootstrap::{BootstrapRequirements, Credential};
use crate::cluster::ClusterRequest;
use crate::error::{ErrorCode, PluginError, PluginResult};
use crate::info::{Maturity, PluginInfo};
use crate::manifests::Manifests;
use crate::provider::InfrastructureProvider;
use crate::providers::ProvidersToInit;
use crate::variable::{Variable, VariableType};

/// An infrastructure provider of which only the facts are known.
#[derive(Clone, Copy, Debug)]
pub struct Stub {
    /// Name of the plugin and of the provider in `clusterctl`, for example `aws`.
    pub name: &'static str,
    /// Short name of the provider, for example `CAPA`.
    pub provider: &'static str,
    /// Version of the plugin.
    pub version: &'static str,
    /// The provider's documentation.
    pub home_page: &'static str,
    /// Variables of the provider's own cluster template.
    pub variables: &'static [StubVariable],
    /// Credentials of the provider's controllers.
    pub credentials: &'static [StubVariable],
    /// Further work by hand, as a sentence fragment, or empty.
    pub note: &'static str,
}

/// A variable of a provider's cluster template, or a credential.
#[derive(Clone, Copy, Debug)]
pub struct StubVariable {
    /// Environment variable, for example `AWS_REGION`.
    pub env: &'static str,
    /// True if nothing works without it.
    pub required: bool,
    /// Description.
    pub description: &'static str,
}

impl StubVariable {
    /// A variable that must be set.
    pub const fn required(env: &'static str, description: &'static str) -> Self {
        Self { env, required: true, description }
    }

    /// A variable that may be set.
    pub const fn optional(env: &'static str, description: &'static str) -> Self {
        Self { env, required: false, description }
    }
}

impl InfrastructureProvider for Stub {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            maturity: Maturity::Stub,
            description: format!(
                "Stub of {}: lists its providers, variables and credentials, and renders nothing",
                self.provider
            ),
            home_page: self.home_page.to_owned(),
            provider: self.name.to_owned(),
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        self.variables.iter().map(declare).collect()
    }

    fn providers(&self, _: &ClusterRequest) -> PluginResult<ProvidersToInit> {
        Ok(ProvidersToInit::kubeadm(self.name))
    }

    fn bootstrap(&self, _: &ClusterRequest) -> PluginResult<BootstrapRequirements> {
        let credential = |credential: &StubVariable| Credential {
            env: credential.env.to_owned(),
            required: credential.required,
            description: credential.description.to_owned(),
        };
        Ok(BootstrapRequirements {
            credentials: self.credentials.iter().map(credential).collect(),
            ..BootstrapRequirements::default()
        })
    }

    fn render(&self, cluster: &ClusterRequest) -> PluginResult<Manifests> {
        let message = format!(
            "the plugin `{}` is a stub and cannot render the manifests of cluster `{}`",
            self.name, cluster.name
        );
        let mut hint = format!(
            "render them with `clusterctl generate cluster {} --infrastructure {}` or by hand, \
             and pass the file with `--cluster-manifest FILE`",
            cluster.name, self.name
        );
        if !self.note.is_empty() {
            hint = format!("{hint}; {}", self.note);
        }
        Err(PluginError::new(ErrorCode::NotImplemented, message).with_hint(hint))
    }
}

fn declare(variable: &StubVariable) -> Variable {
    let name = variable.env.to_lowercase().replace('_', "-");
    let declared = Variable::new(&name, VariableType::String, variable.description);
    let declared = declared.from_env(variable.env);
    if variable.required { declared.required() } else { declared }
}
