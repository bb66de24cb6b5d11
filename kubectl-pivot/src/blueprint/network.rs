//! The network of a cluster, and how it gets there.

use kubectl_pivot_plugin_api::{CniCluster, CniPlan, CniRequest, Variable};
use serde_json::{Map, Value};

use super::error::BlueprintError;
use super::given::Given;
use kubectl_pivot_plugin_host::Plugin;

/// Where a network comes from.
#[derive(Debug)]
pub(super) enum Network {
    /// Nobody has asked for one.
    NotAsked,
    /// The infrastructure needs none.
    NotNeeded,
    /// The infrastructure plugin has a plan of its own.
    Plan(CniPlan),
    /// A CNI plugin, and values for its chart.
    Plugin { plugin: Plugin, values: Map<String, Value> },
}

/// What to install.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkPlan {
    /// The plan; nothing if the infrastructure needs no network.
    pub plan: Option<CniPlan>,
    /// Name of the plugin it is from.
    pub plugin: String,
    /// Sentences for the user.
    pub notes: Vec<String>,
}

impl Network {
    pub(super) fn variables(&self) -> Result<Vec<Variable>, BlueprintError> {
        match self {
            Self::Plugin { plugin, .. } => Ok(plugin.variables()?),
            Self::NotAsked | Self::NotNeeded | Self::Plan(_) => Ok(Vec::new()),
        }
    }

    /// The question that a CNI plugin is asked; nothing for other networks.
    pub(super) fn request(
        &self,
        about: CniCluster,
        given: &Given,
        manifests: &[Value],
    ) -> Result<Option<CniRequest>, BlueprintError> {
        let Self::Plugin { plugin, values } = self else { return Ok(None) };
        let variables = given.for_plugin(&plugin.variables()?);
        let (values, manifests) = (values.clone(), manifests.to_vec());
        let request =
            CniRequest { cluster: about, variables, values, manifests, ..CniRequest::default() };
        Ok(Some(request))
    }

    pub(super) fn plan(
        &self,
        infrastructure: &str,
        request: Option<&CniRequest>,
    ) -> Result<NetworkPlan, BlueprintError> {
        let (plan, plugin, notes) = match (self, request) {
            (Self::Plugin { plugin, .. }, Some(request)) => {
                let install = plugin.cni()?.plan(request)?;
                (install.plan, plugin.info().name.clone(), install.notes)
            }
            (Self::Plan(plan), _) => (plan.clone(), infrastructure.to_owned(), Vec::new()),
            _ => {
                let note = format!(
                    "clusters of the plugin `{infrastructure}` need no network of their own"
                );
                let plugin = infrastructure.to_owned();
                return Ok(NetworkPlan { plan: None, plugin, notes: vec![note] });
            }
        };
        let is_known = matches!(
            plan,
            CniPlan::Manifests { .. } | CniPlan::HelmChart(_) | CniPlan::HelmChartProxy { .. }
        );
        if !is_known {
            return Err(BlueprintError::UnknownPlan(plugin));
        }
        Ok(NetworkPlan { plan: Some(plan), plugin, notes })
    }
}
