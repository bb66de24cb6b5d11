//! The network of a cluster, and how it gets there.

use std::collections::BTreeSet;

use kubectl_pivot_plugin_api::{
    CniCluster, CniInstall, CniPlan, CniRequest, Endpoint, Probe, ProbeStage, Variable,
    merge_values,
};
use plugin_host::Plugin;
use serde_json::{Map, Value};

use super::error::BlueprintError;
use super::user_variables::UserVariables;

/// The origin of a network.
#[derive(Debug)]
pub(super) enum Network {
    /// Nobody has asked for one.
    NotAsked,
    /// The infrastructure needs none.
    NotNeeded,
    /// The infrastructure plugin has a plan of its own.
    Plan(CniPlan),
    /// The user brings manifests.
    Own(Vec<Value>),
    /// A CNI plugin, and values for its chart.
    Plugin { plugin: Plugin, values: Map<String, Value> },
}

/// The plan to install.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkPlan {
    /// The plan; nothing if the infrastructure needs no network.
    pub plan: Option<CniPlan>,
    /// Name of the plugin it is from.
    pub plugin: String,
    /// Sentences for the user.
    pub notes: Vec<String>,
    /// True if the machines have to be created without kube-proxy.
    pub replaces_kube_proxy: bool,
}

/// The name, in the place of a plugin's, of a network that the user brings.
pub(super) const OWN: &str = "cni-manifest";

/// In the place of an API server that does not exist yet: networks without kube-proxy have its
/// address among their values, and a plan without it would be refused.
pub fn unknown_endpoint() -> Endpoint {
    Endpoint { host: "address-of-the-api-server.invalid".to_owned(), port: 6443 }
}

impl Network {
    pub(super) fn variables(&self) -> Result<Vec<Variable>, BlueprintError> {
        match self {
            Self::Plugin { plugin, .. } => Ok(plugin.variables()?),
            Self::NotAsked | Self::NotNeeded | Self::Plan(_) | Self::Own(_) => Ok(Vec::new()),
        }
    }

    /// The question that a CNI plugin is asked; nothing for other networks.
    pub(super) fn request(
        &self,
        about: CniCluster,
        given: &UserVariables,
    ) -> Result<Option<CniRequest>, BlueprintError> {
        let Self::Plugin { plugin, values } = self else { return Ok(None) };
        let variables = given.for_plugin(&plugin.variables()?);
        let values = values.clone();
        Ok(Some(CniRequest { cluster: about, variables, values, ..CniRequest::default() }))
    }

    pub(super) fn plan(
        &self,
        infrastructure: &str,
        request: Option<&CniRequest>,
    ) -> Result<NetworkPlan, BlueprintError> {
        let whole = |plan| CniInstall { plan, ..CniInstall::default() };
        let (install, plugin) = match (self, request) {
            (Self::Plugin { plugin, .. }, Some(request)) => {
                let mut install = plugin.cni()?.plan(request)?;
                apply_values(&mut install, &request.values);
                (install, plugin.info().name.clone())
            }
            (Self::Plan(plan), _) => (whole(plan.clone()), infrastructure.to_owned()),
            (Self::Own(objects), _) => {
                (whole(CniPlan::Manifests { objects: objects.clone() }), OWN.to_owned())
            }
            _ => {
                let note = format!(
                    "clusters of the plugin `{infrastructure}` need no network of their own"
                );
                let plugin = infrastructure.to_owned();
                return Ok(NetworkPlan { plugin, notes: vec![note], ..NetworkPlan::default() });
            }
        };
        let CniInstall { plan, notes, replaces_kube_proxy } = install;
        let is_known = matches!(
            plan,
            CniPlan::Manifests { .. } | CniPlan::HelmChart(_) | CniPlan::HelmChartProxy { .. }
        );
        if !is_known {
            return Err(BlueprintError::UnknownPlan(plugin));
        }
        Ok(NetworkPlan { plan: Some(plan), plugin, notes, replaces_kube_proxy })
    }

    /// Returns what "ready" means. Whatever the user's own network is, Ready nodes show that it
    /// works.
    pub(super) fn probes(
        &self,
        request: Option<&CniRequest>,
    ) -> Result<Vec<Probe>, BlueprintError> {
        match (self, request) {
            (Self::Plugin { plugin, .. }, Some(request)) => Ok(plugin.cni()?.probes(request)?),
            (Self::Own(_), _) => Ok(vec![Probe::nodes_ready().at(&[ProbeStage::CniInstalled])]),
            _ => Ok(Vec::new()),
        }
    }
}

/// Puts the values of the user and the infrastructure over those of the chart. Most plugins have
/// done it; those of one that forgets it must not be lost.
fn apply_values(install: &mut CniInstall, values: &Map<String, Value>) {
    match &mut install.plan {
        CniPlan::HelmChart(chart) | CniPlan::HelmChartProxy { chart, .. } => {
            merge_values(&mut chart.values, values);
        }
        _ if values.is_empty() => {}
        _ => {
            let names: BTreeSet<_> = values.keys().map(String::as_str).collect();
            let names = Vec::from_iter(names).join(", ");
            install
                .notes
                .push(format!("the network is no chart, so its values change nothing: {names}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use kubectl_pivot_plugin_api::PluginError;
    use serde_json::json;

    use super::*;

    /// A plugin that plans the same, whatever it is asked.
    fn forgetful(plan: &Value) -> Network {
        let answer = json!({"plan": plan}).to_string();
        let invoke = move |method: &str, _: &[u8]| match method {
            "info" => Ok(br#"{"name": "mash", "kind": "cni", "protocol": "1.0"}"#.to_vec()),
            "plan" => Ok(answer.clone().into_bytes()),
            _ => Err(serde_json::to_vec(&PluginError::internal("no")).expect("plain data")),
        };
        let plugin = Plugin::introduce(PathBuf::from("/mash.so"), Box::new(invoke));
        Network::Plugin { plugin: plugin.expect("it is usable"), values: Map::new() }
    }

    fn planned(plan: &Value) -> NetworkPlan {
        let values = json!({"mtu": 1400, "ipam": {"mode": "user"}});
        let values = values.as_object().cloned().expect("an object");
        let request = CniRequest { values, ..CniRequest::default() };
        forgetful(plan).plan("docker", Some(&request)).expect("it has a plan")
    }

    #[test]
    fn the_values_of_the_user_are_never_lost() {
        let chart = json!({"method": "helm-chart", "chart": "mash",
            "values": {"ipam": {"mode": "own", "size": 24}}});
        let expected = json!({"mtu": 1400, "ipam": {"mode": "user", "size": 24}});
        match planned(&chart).plan {
            Some(CniPlan::HelmChart(chart)) => assert_eq!(Value::from(chart.values), expected),
            other => panic!("unexpected: {other:?}"),
        }
        let manifests = planned(&json!({"method": "manifests", "objects": []}));
        assert_eq!(
            manifests.notes,
            ["the network is no chart, so its values change nothing: ipam, mtu"]
        );
    }
}
