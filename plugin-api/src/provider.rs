//! The traits that the author of a plugin implements.
//!
//! Implementations are pure: data in, data out. They do no I/O, start no thread, read neither
//! clock nor environment, and give the same answer to the same question.

use crate::addons::{Addons, AddonsRequest};
use crate::bootstrap::BootstrapRequirements;
use crate::cluster::ClusterRequest;
use crate::cni::{CniChoice, CniInstall, CniRequest};
use crate::error::PluginResult;
use crate::info::PluginInfo;
use crate::manifests::Manifests;
use crate::move_knowledge::{MoveKnowledge, MoveRequest};
use crate::probe::{Probe, ProbesRequest};
use crate::providers::ProvidersToInit;
use crate::reach::Reach;
use crate::variable::Variable;

/// An infrastructure plugin: where the machines of a cluster come from.
pub trait InfrastructureProvider {
    /// Describes the plugin.
    fn info(&self) -> PluginInfo;

    /// The variables that users may or must set.
    fn variables(&self) -> Vec<Variable> {
        Vec::new()
    }

    /// The providers that a management cluster needs.
    ///
    /// # Errors
    /// The variables are not usable.
    fn providers(&self, cluster: &ClusterRequest) -> PluginResult<ProvidersToInit>;

    /// Returns requirements on the bootstrap cluster, and on the machine it runs on.
    ///
    /// # Errors
    /// The variables are not usable.
    fn bootstrap(&self, cluster: &ClusterRequest) -> PluginResult<BootstrapRequirements> {
        let _ = cluster;
        Ok(BootstrapRequirements::default())
    }

    /// The objects that make the cluster, in versions that the management cluster serves.
    ///
    /// # Errors
    /// The variables are not usable, or nothing that is served can be rendered.
    fn render(&self, cluster: &ClusterRequest) -> PluginResult<Manifests>;

    /// The network that suits this infrastructure.
    ///
    /// # Errors
    /// The variables are not usable.
    fn cni(&self, cluster: &ClusterRequest) -> PluginResult<CniChoice> {
        let _ = cluster;
        Ok(CniChoice::Plugin { name: "cilium".to_owned(), values: serde_json::Map::new() })
    }

    /// Ways to the API server of the cluster, beside the address in its kubeconfig.
    ///
    /// # Errors
    /// The variables are not usable.
    fn reach(&self, cluster: &ClusterRequest) -> PluginResult<Reach> {
        let _ = cluster;
        Ok(Reach::default())
    }

    /// Returns what is installed in the target after its network, in order. Since protocol 1.2.
    ///
    /// # Errors
    /// The variables are not usable.
    fn addons(&self, request: &AddonsRequest) -> PluginResult<Addons> {
        let _ = request;
        Ok(Addons::default())
    }

    /// Returns the kinds of the provider that are not moved like all others. Since protocol 1.3.
    ///
    /// # Errors
    /// The plugin cannot tell.
    fn moving(&self, request: &MoveRequest) -> PluginResult<MoveKnowledge> {
        let _ = request;
        Ok(MoveKnowledge::default())
    }

    /// Returns probes that define "ready".
    ///
    /// # Errors
    /// The variables are not usable.
    fn probes(&self, request: &ProbesRequest) -> PluginResult<Vec<Probe>> {
        let _ = request;
        Ok(Vec::new())
    }
}

/// A CNI plugin: how pods reach each other.
pub trait CniProvider {
    /// Describes the plugin.
    fn info(&self) -> PluginInfo;

    /// The variables that users may or must set.
    fn variables(&self) -> Vec<Variable> {
        Vec::new()
    }

    /// Returns the plan to install in a cluster.
    ///
    /// # Errors
    /// The variables are not usable, or the network cannot work in this cluster.
    fn plan(&self, request: &CniRequest) -> PluginResult<CniInstall>;

    /// Returns probes that define "ready".
    ///
    /// # Errors
    /// The variables are not usable.
    fn probes(&self, request: &CniRequest) -> PluginResult<Vec<Probe>> {
        let _ = request;
        Ok(Vec::new())
    }
}
