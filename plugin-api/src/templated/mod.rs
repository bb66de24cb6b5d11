//! Infrastructure plugins over the cluster template that their provider releases.
//!
//! Such a plugin is data: the facts about the provider ([`Templated`]). Variables are resolved here
//! and handed to the template, and what the template leaves to its users (a cloud controller
//! manager, storage) is installed after the network. Requires a host of protocol 1.2.

mod facts;
mod plan;
mod variables;

pub use facts::{TemplateAddon, TemplateVariable, Templated};
pub use variables::names;

use crate::addons::{Addons, AddonsRequest};
use crate::bootstrap::{BootstrapRequirements, Credential};
use crate::capabilities::{Capabilities, VersionRange};
use crate::capi::{controller_available, infrastructure_provisioned};
use crate::cluster::ClusterRequest;
use crate::cni::CniChoice;
use crate::error::PluginResult;
use crate::info::{Maturity, PluginInfo};
use crate::manifests::Manifests;
use crate::probe::{Probe, ProbesRequest};
use crate::protocol::ProtocolVersion;
use crate::provider::InfrastructureProvider;
use crate::providers::ProvidersToInit;
use crate::values::{Values, invalid};
use crate::variable::Variable;

/// The first protocol that knows templates and parts after the network.
const REQUIRED: ProtocolVersion = ProtocolVersion { major: 1, minor: 2 };

impl InfrastructureProvider for Templated {
    fn info(&self) -> PluginInfo {
        PluginInfo {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            maturity: Maturity::Beta,
            description: self.description.to_owned(),
            home_page: self.home_page.to_owned(),
            provider: self.name.to_owned(),
            requires_host: Some(REQUIRED),
            capabilities: Capabilities {
                kubernetes: VersionRange::new(self.kubernetes.0, self.kubernetes.1),
                ..Capabilities::default()
            },
            ..PluginInfo::default()
        }
    }

    fn variables(&self) -> Vec<Variable> {
        variables::all(self)
    }

    fn providers(&self, cluster: &ClusterRequest) -> PluginResult<ProvidersToInit> {
        let values = self.known_values(&cluster.variables)?;
        let infrastructure = format!("{}:{}", self.name, values.text(names::PROVIDER_VERSION)?);
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Ok(ProvidersToInit {
            environment: self.init_environment.iter().map(pair).collect(),
            ..ProvidersToInit::kubeadm(&infrastructure)
        })
    }

    fn bootstrap(&self, _: &ClusterRequest) -> PluginResult<BootstrapRequirements> {
        let credential = |credential: &TemplateVariable| Credential {
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
        let values = self.values(&cluster.variables)?;
        let mut manifests = plan::manifests(self, cluster, &values)?;
        manifests.notes.extend(self.notes.iter().map(|&note| note.to_owned()));
        Ok(manifests)
    }

    fn cni(&self, _: &ClusterRequest) -> PluginResult<CniChoice> {
        Ok(CniChoice::Plugin { name: self.cni.to_owned(), values: serde_json::Map::new() })
    }

    fn addons(&self, request: &AddonsRequest) -> PluginResult<Addons> {
        let values = self.values(&request.variables)?;
        let wanted = values.list(names::ADDONS)?;
        self.refuse_unknown_addons(&wanted)?;
        let is_wanted = |addon: &&TemplateAddon| wanted.iter().any(|name| name == addon.name);
        let built =
            self.addons.iter().filter(is_wanted).map(|addon| (addon.build)(request, &values));
        Ok(built.collect::<PluginResult<Vec<_>>>()?.into())
    }

    fn probes(&self, request: &ProbesRequest) -> PluginResult<Vec<Probe>> {
        let (namespace, deployment) = self.controller;
        let controller = controller_available(self.name, namespace, deployment);
        let clusters = infrastructure_provisioned(self.cluster_kind, request);
        Ok(controller.into_iter().chain(clusters).chain((self.probes)()).collect())
    }
}

impl Templated {
    fn refuse_unknown_addons(&self, wanted: &[String]) -> PluginResult<()> {
        let names: Vec<_> = self.addons.iter().map(|addon| addon.name).collect();
        let mut unknown = wanted.iter().filter(|name| !names.contains(&name.as_str()));
        let declared = self.variables();
        let variable = declared.iter().find(|variable| variable.name == names::ADDONS);
        match (unknown.next(), variable) {
            (Some(name), Some(variable)) => {
                let why = format!("there is no add-on `{name}`; they are {}", names.join(", "));
                Err(invalid(variable, &why))
            }
            _ => Ok(()),
        }
    }

    /// The values as far as they are known: who describes the plugin has none.
    fn known_values(
        &self,
        given: &serde_json::Map<String, serde_json::Value>,
    ) -> PluginResult<Values> {
        let optional = |variable: Variable| Variable { required: false, ..variable };
        let declared: Vec<_> = self.variables().into_iter().map(optional).collect();
        Values::resolve(&declared, given)
    }

    fn values(&self, given: &serde_json::Map<String, serde_json::Value>) -> PluginResult<Values> {
        Values::resolve(&self.variables(), given)
    }
}
