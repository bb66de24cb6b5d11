//! Asking the plugins, after the variables were checked.

use kubectl_pivot_plugin_api::{
    Addon, AddonPlan, Addons, AddonsRequest, BootstrapRequirements, Capabilities, ClusterRequest,
    CniChoice, CniPlan, Endpoint, Manifests, Maturity, MoveKnowledge, MoveRequest, Probe,
    ProbesRequest, ProvidersToInit, Reach, ServedKind, Variable, merge_values,
};
use plugin_host::{InfrastructurePlugin, LoadError, Plugin, Registry};
use serde_json::{Map, Value};

use super::cni_cluster::cni_cluster;
use super::error::BlueprintError;
use super::kube_proxy;
use super::network::{Network, NetworkPlan, OWN, unknown_endpoint};
use super::request::BlueprintRequest;
use super::template::{About, Clusterctl, Generated, KeptTemplate, TemplateError};
use super::user_variables::{UserVariables, check, optional};

/// A cluster as its plugins describe it.
#[derive(Debug)]
pub struct Blueprint {
    request: BlueprintRequest,
    plugin: Plugin,
    cluster: ClusterRequest,
    given: UserVariables,
    network: Network,
    declared: Vec<Variable>,
    generated: Option<Generated>,
}

impl Blueprint {
    /// Loads the plugins and checks every variable, so that a plugin that checks less gives the
    /// same errors.
    ///
    /// # Errors
    /// A plugin cannot be used, or a variable is wrong or unknown.
    pub fn new(registry: &Registry, request: BlueprintRequest) -> Result<Self, BlueprintError> {
        let plugin = registry.load(&request.infrastructure)?;
        let infrastructure = plugin.infrastructure()?;
        let given = UserVariables::new(&request);
        let declared = plugin.variables()?;
        let mut cluster = request.cluster();
        cluster.variables = given.for_plugin(&declared);
        let find = || find_network(registry, &request, infrastructure, &cluster);
        let network = match request.wants_network {
            true => find()?,
            // Variables that are not those of the infrastructure may be those of its network.
            false if given.has_others(&declared) => find().unwrap_or(Network::NotAsked),
            false => Network::NotAsked,
        };
        let network_declares = network.variables()?;
        let all = [declared.as_slice(), &network_declares].concat();
        given.refuse_unknown(&all)?;
        let demanded = |declared: &[Variable]| match request.is_removal {
            true => optional(declared),
            false => declared.to_vec(),
        };
        check(&demanded(&network_declares), &given.for_plugin(&network_declares))?;
        // A stub says that it is one, whatever the values are.
        if plugin.info().maturity != Maturity::Stub {
            check(&demanded(&declared), &cluster.variables)?;
        }
        Ok(Self { request, plugin, cluster, given, network, declared: all, generated: None })
    }

    /// Returns what was asked for.
    pub fn request(&self) -> &BlueprintRequest {
        &self.request
    }

    /// Name and version of the infrastructure plugin.
    pub fn infrastructure_name(&self) -> &str {
        &self.plugin.info().name
    }

    /// Name of the CNI plugin, if there is one, or of the user's own network.
    pub fn network_name(&self) -> Option<&str> {
        match &self.network {
            Network::Plugin { plugin, .. } => Some(&plugin.info().name),
            Network::Own(_) => Some(OWN),
            _ => None,
        }
    }

    /// Kinds of the provider that are not moved like all others.
    ///
    /// # Errors
    /// The plugin refuses.
    pub fn moving(&self) -> Result<MoveKnowledge, BlueprintError> {
        Ok(self.plugin.infrastructure()?.moving(&MoveRequest::default())?)
    }

    /// The limits of the plugins, by their names.
    pub fn capabilities(&self) -> impl Iterator<Item = (&str, &Capabilities)> {
        let network = match &self.network {
            Network::Plugin { plugin, .. } => Some(plugin),
            _ => None,
        };
        let infos = std::iter::once(&self.plugin).chain(network).map(Plugin::info);
        infos.map(|info| (info.name.as_str(), &info.capabilities))
    }

    /// Kubernetes version of the cluster of these objects, as far as they say it.
    pub fn kubernetes_version(&self, objects: &[Value]) -> Option<String> {
        cni_cluster(objects, &self.cluster, self.infrastructure_name()).kubernetes_version
    }

    /// The variables of both plugins.
    pub fn variables(&self) -> &[Variable] {
        &self.declared
    }

    /// The values of secret variables, from flags, document or environment.
    pub fn secrets(&self) -> Vec<String> {
        let given = self.given.for_plugin(&self.declared);
        let secret = self.declared.iter().filter(|variable| variable.secret);
        let values = secret.filter_map(|variable| given.get(&variable.name)?.as_str());
        values.map(str::to_owned).collect()
    }

    /// The providers that a management cluster needs.
    ///
    /// # Errors
    /// The plugin refuses or gives no usable answer; so for all methods here.
    pub fn providers(&self) -> Result<ProvidersToInit, BlueprintError> {
        Ok(self.infrastructure()?.providers(&self.cluster)?)
    }

    /// Returns what the bootstrap cluster, and the machine it runs on, must offer.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn bootstrap(&self) -> Result<BootstrapRequirements, BlueprintError> {
        Ok(self.infrastructure()?.bootstrap(&self.cluster)?)
    }

    /// Ways to the API server of the cluster, beside the address in its kubeconfig.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn reach(&self) -> Result<Reach, BlueprintError> {
        Ok(self.infrastructure()?.reach(&self.cluster)?)
    }

    /// The objects of the cluster.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn manifests(&self) -> Result<Manifests, BlueprintError> {
        self.render(&self.cluster)
    }

    /// The objects of the cluster, for a management cluster that serves these kinds.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn manifests_for(&self, served: Vec<ServedKind>) -> Result<Manifests, BlueprintError> {
        self.render(&ClusterRequest { served, ..self.cluster.clone() })
    }

    /// Has clusterctl fill in the template that the plugin plans, if it plans one. Without this the
    /// manifests of such a plugin are an error.
    ///
    /// # Errors
    /// See [`Self::providers`]; and clusterctl may fail, or the template may ignore what is wanted.
    pub async fn generate(&mut self, clusterctl: &Clusterctl<'_>) -> Result<(), BlueprintError> {
        let Some(plan) = self.infrastructure()?.render(&self.cluster)?.template else {
            return Ok(());
        };
        let secrets = self.secrets();
        let about =
            About { plugin: self.infrastructure_name(), request: &self.request, secrets: &secrets };
        self.generated = Some(Generated::new(clusterctl, plan, &about).await?);
        Ok(())
    }

    /// The output of clusterctl for a run to keep, without secrets; none if there is none, or if it
    /// may show a secret.
    pub fn to_keep(&self) -> Option<&KeptTemplate> {
        self.generated.as_ref().and_then(Generated::kept)
    }

    /// The objects that the plugin renders; those of its template come first.
    fn described(&self, cluster: &ClusterRequest) -> Result<Manifests, BlueprintError> {
        let mut manifests = self.infrastructure()?.render(cluster)?;
        if let Some(plan) = manifests.template.take() {
            let generated = self.generated.as_ref().and_then(|known| known.objects_of(&plan));
            let mut objects = generated.ok_or(TemplateError::NotGenerated(plan.provider))?;
            objects.append(&mut manifests.objects);
            manifests.objects = objects;
        }
        Ok(manifests)
    }

    /// The network may do the work of kube-proxy, which the infrastructure cannot know.
    fn render(&self, cluster: &ClusterRequest) -> Result<Manifests, BlueprintError> {
        let mut manifests = self.described(cluster)?;
        if matches!(self.network, Network::Plugin { .. })
            && self.network(&manifests.objects, Some(unknown_endpoint()))?.replaces_kube_proxy
        {
            kube_proxy::leave_out(&mut manifests.objects);
        }
        Ok(manifests)
    }

    /// Returns the probes that define "ready" for the infrastructure, in a management cluster that
    /// serves these kinds.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn infrastructure_probes(
        &self,
        served: Vec<ServedKind>,
    ) -> Result<Vec<Probe>, BlueprintError> {
        let request = ProbesRequest {
            name: Some(self.cluster.name.clone()),
            namespace: Some(self.cluster.namespace.clone()),
            variables: self.cluster.variables.clone(),
            served,
            capi_version: self.cluster.capi_version.clone(),
            ..ProbesRequest::default()
        };
        Ok(self.infrastructure()?.probes(&request)?)
    }

    /// Returns the way in which the network gets into the cluster of these objects.
    ///
    /// # Errors
    /// See [`Self::providers`]; and the plan may be one that this program does not know.
    pub fn network(
        &self,
        objects: &[Value],
        endpoint: Option<Endpoint>,
    ) -> Result<NetworkPlan, BlueprintError> {
        let mut about = cni_cluster(objects, &self.cluster, self.infrastructure_name());
        about.api_endpoint = endpoint;
        let request = self.network.request(about, &self.given)?;
        self.network.plan(self.infrastructure_name(), request.as_ref())
    }

    /// Returns what is installed in the cluster of these objects after its network, in order.
    ///
    /// # Errors
    /// See [`Self::providers`]; and a plan may be one that this program does not know.
    pub fn addons(
        &self,
        objects: &[Value],
        endpoint: Option<Endpoint>,
    ) -> Result<Addons, BlueprintError> {
        let mut cluster = cni_cluster(objects, &self.cluster, self.infrastructure_name());
        cluster.api_endpoint = endpoint;
        let variables = self.cluster.variables.clone();
        let request = AddonsRequest { cluster, variables, ..AddonsRequest::default() };
        let answer = self.infrastructure()?.addons(&request)?;
        let is_unknown = |addon: &&Addon| {
            !matches!(addon.plan, AddonPlan::HelmChart(_) | AddonPlan::Manifests { .. })
        };
        match answer.addons.iter().find(is_unknown) {
            None => Ok(answer),
            Some(addon) => Err(BlueprintError::UnknownAddon {
                plugin: self.infrastructure_name().to_owned(),
                addon: addon.name.clone(),
            }),
        }
    }

    /// Returns what "ready" means for the network.
    ///
    /// # Errors
    /// See [`Self::providers`].
    pub fn network_probes(&self, objects: &[Value]) -> Result<Vec<Probe>, BlueprintError> {
        let about = cni_cluster(objects, &self.cluster, self.infrastructure_name());
        let request = self.network.request(about, &self.given)?;
        self.network.probes(request.as_ref())
    }

    fn infrastructure(&self) -> Result<InfrastructurePlugin<'_>, BlueprintError> {
        Ok(self.plugin.infrastructure()?)
    }
}

fn find_network(
    registry: &Registry,
    request: &BlueprintRequest,
    infrastructure: InfrastructurePlugin<'_>,
    cluster: &ClusterRequest,
) -> Result<Network, BlueprintError> {
    if let Some(objects) = &request.cni_manifests {
        return Ok(Network::Own(objects.clone()));
    }
    let choice = infrastructure.cni(cluster);
    let Some(wanted) = &request.cni else {
        return match choice? {
            CniChoice::Plugin { name, values } => load_network(registry, request, &name, values)
                .map_err(|error| match error {
                    BlueprintError::Plugin(source @ LoadError::Select(_)) => {
                        let infrastructure = request.infrastructure.clone();
                        BlueprintError::NoDefaultNetwork { infrastructure, network: name, source }
                    }
                    error => error,
                }),
            CniChoice::Plan { mut plan } => {
                if let CniPlan::HelmChart(chart) | CniPlan::HelmChartProxy { chart, .. } = &mut plan
                {
                    merge_values(&mut chart.values, &request.cni_values);
                }
                Ok(Network::Plan(plan))
            }
            CniChoice::NotNeeded => Ok(Network::NotNeeded),
            _ => Err(BlueprintError::NoCni(request.infrastructure.clone())),
        };
    };
    let values = match choice {
        Ok(CniChoice::Plugin { name, values }) if name == *wanted => values,
        _ => Map::new(),
    };
    load_network(registry, request, wanted, values)
}

fn load_network(
    registry: &Registry,
    request: &BlueprintRequest,
    name: &str,
    mut values: Map<String, Value>,
) -> Result<Network, BlueprintError> {
    merge_values(&mut values, &request.cni_values);
    let plugin = registry.load(name)?;
    plugin.cni()?;
    Ok(Network::Plugin { plugin, values })
}
