//! `render`: what plugins make of a request, as objects to look at, keep or apply. Writes nothing.

use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::values::fill_from_env;
use kubectl_pivot_plugin_api::{
    ClusterRequest, CniChoice, CniCluster, CniPlan, CniRequest, Maturity, ServedKind, Values,
    Variable,
};
use serde_json::{Map, Value, json};

use super::error::CommandError;
use super::plugin::plugin_registry;
use crate::capi::group_of;
use crate::cluster::{Client, KubeconfigRef, Served};
use crate::plugins::{InfrastructurePlugin, Plugin, Registry, is_cluster_api, served_kinds};
use crate::yaml;

/// Name of the bootstrap cluster in kind's configuration.
const BOOTSTRAP: &str = "bootstrap";

/// What a user has asked for.
#[derive(Clone, Debug)]
pub struct RenderRequest {
    /// Name of the cluster.
    pub name: String,
    /// Namespace of its objects.
    pub namespace: String,
    /// Name of the infrastructure plugin.
    pub infrastructure: String,
    /// Name of the CNI plugin; the infrastructure plugin decides if absent.
    pub cni: Option<String>,
    /// Manifests of a network, for the CNI plugin `none`.
    pub cni_manifest: Option<PathBuf>,
    /// Variables of both plugins; a later one wins.
    pub variables: Vec<(String, String)>,
    /// Kubernetes version of the machines.
    pub kubernetes_version: Option<String>,
    /// What the management cluster serves.
    pub management: ManagementCluster,
    /// What to render.
    pub part: RenderPart,
    /// Folders of `--plugin-dir`.
    pub plugin_folders: Vec<PathBuf>,
}

/// What is known of the management cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ManagementCluster {
    /// Nothing.
    #[default]
    Unknown,
    /// Its version of Cluster API.
    Version(String),
    /// Where it is, to ask it.
    At(KubeconfigRef),
}

/// What to render.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenderPart {
    /// The objects of the cluster.
    #[default]
    Cluster,
    /// kind's configuration for the bootstrap cluster.
    Bootstrap,
    /// What to install as network.
    Cni,
    /// All of it, in the order in which it is needed.
    All,
}

/// Objects, and what the user should know about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// In the order in which they are needed.
    pub objects: Vec<Value>,
    /// Sentences.
    pub notes: Vec<String>,
}

/// Why nothing was rendered, apart from what plugins say.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Nothing could be applied there.
    #[error("{server} serves no kinds of Cluster API")]
    NotAManagementCluster {
        /// URL of the API server.
        server: String,
    },
    /// The network is not known.
    #[error("the plugin `{0}` does not say which network its clusters get")]
    NoCni(String),
    /// The plan is of a newer version of the plugin API.
    #[error("the plugin `{0}` plans its network in a way that this program does not know")]
    UnknownPlan(String),
    /// The manifests of the user cannot be read.
    #[error("cannot read the manifests {}", path.display())]
    Manifests {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl RenderError {
    /// What the user can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAManagementCluster { .. } => {
                "install the providers first with `clusterctl init`, or give --capi-version"
            }
            Self::NoCni(_) => {
                "choose one with --cni NAME; `kubectl pivot plugin list` has the names"
            }
            Self::UnknownPlan(_) => "get a version of the plugin for this version of kubectl-pivot",
            Self::Manifests { .. } => "give --cni-manifest a file of YAML or JSON objects",
        }
    }
}

/// Asks the plugins, and the management cluster if one is given.
///
/// # Errors
/// A plugin cannot be used or refuses, a variable is wrong, or the cluster does not answer.
pub async fn render_manifests(request: &RenderRequest) -> Result<Rendered, CommandError> {
    let registry = plugin_registry(&request.plugin_folders)?;
    let infrastructure = registry.load(&request.infrastructure)?;
    let mut cluster = request.cluster();
    match &request.management {
        ManagementCluster::Unknown => {}
        ManagementCluster::Version(version) => cluster.capi_version = Some(version.clone()),
        ManagementCluster::At(kubeconfig) => cluster.served = served(kubeconfig).await?,
    }
    let given = Given::new(request);
    let declared = infrastructure.variables()?;
    cluster.variables = given.for_plugin(&declared);
    let rendering = Rendering {
        request,
        registry: &registry,
        plugin: &infrastructure,
        infrastructure: infrastructure.infrastructure()?,
        cluster,
    };
    let network = match request.wants_network() {
        true => rendering.network()?,
        // Variables that are not those of the infrastructure may be those of its network.
        false if given.has_others(&declared) => rendering.network().unwrap_or(Network::NotNeeded),
        false => Network::NotNeeded,
    };
    let network_declares = network.variables()?;
    given.refuse_unknown(&[declared.as_slice(), &network_declares].concat())?;
    check(&network_declares, &given.for_plugin(&network_declares))?;
    // A stub says that it is one, whatever the values are.
    if infrastructure.info().maturity != Maturity::Stub {
        Values::resolve(&declared, &rendering.cluster.variables).map_err(CommandError::Variable)?;
    }
    rendering.run(network, &given)
}

impl RenderRequest {
    fn cluster(&self) -> ClusterRequest {
        ClusterRequest {
            namespace: self.namespace.clone(),
            kubernetes_version: self.kubernetes_version.clone(),
            ..ClusterRequest::named(&self.name)
        }
    }

    fn renders(&self, part: RenderPart) -> bool {
        self.part == part || self.part == RenderPart::All
    }

    fn wants_network(&self) -> bool {
        self.renders(RenderPart::Cni) || self.cni.is_some()
    }
}

/// The variables of the command line.
struct Given(Map<String, Value>);

impl Given {
    fn new(request: &RenderRequest) -> Self {
        let variables = request.variables.iter().cloned();
        Self(variables.map(|(name, value)| (name, value.into())).collect())
    }

    /// Those that a plugin declares, and what the environment has for it.
    fn for_plugin(&self, declared: &[Variable]) -> Map<String, Value> {
        let is_declared = |name: &String| declared.iter().any(|variable| variable.name == *name);
        let given = self.0.iter().filter(|(name, _)| is_declared(name));
        let mut given = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        fill_from_env(declared, &mut given, |name| std::env::var(name).ok());
        given
    }

    fn others(&self, declared: &[Variable]) -> Map<String, Value> {
        let is_other = |name: &String| declared.iter().all(|variable| variable.name != *name);
        let others = self.0.iter().filter(|(name, _)| is_other(name));
        others.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn has_others(&self, declared: &[Variable]) -> bool {
        !self.others(declared).is_empty()
    }

    fn refuse_unknown(&self, declared: &[Variable]) -> Result<(), CommandError> {
        let others = self.others(declared);
        if others.is_empty() {
            return Ok(());
        }
        // Only unknown ones are given, so this fails on the first of them.
        check(declared, &others)
    }
}

/// The network of a cluster.
enum Network {
    NotNeeded,
    Plan(CniPlan),
    Plugin { plugin: Plugin, values: Map<String, Value> },
}

impl Network {
    fn variables(&self) -> Result<Vec<Variable>, CommandError> {
        match self {
            Self::Plugin { plugin, .. } => Ok(plugin.variables()?),
            Self::NotNeeded | Self::Plan(_) => Ok(Vec::new()),
        }
    }
}

/// One request, with everything that is known before plugins are asked.
struct Rendering<'a> {
    request: &'a RenderRequest,
    registry: &'a Registry,
    plugin: &'a Plugin,
    infrastructure: InfrastructurePlugin<'a>,
    cluster: ClusterRequest,
}

impl Rendering<'_> {
    fn network(&self) -> Result<Network, CommandError> {
        let choice = self.infrastructure.cni(&self.cluster);
        let Some(wanted) = &self.request.cni else {
            return match choice? {
                CniChoice::Plugin { name, values } => self.load_network(&name, values),
                CniChoice::Plan { plan } => Ok(Network::Plan(plan)),
                CniChoice::NotNeeded => Ok(Network::NotNeeded),
                _ => Err(RenderError::NoCni(self.request.infrastructure.clone()).into()),
            };
        };
        let values = match choice {
            Ok(CniChoice::Plugin { name, values }) if name == *wanted => values,
            _ => Map::new(),
        };
        self.load_network(wanted, values)
    }

    fn load_network(
        &self,
        name: &str,
        values: Map<String, Value>,
    ) -> Result<Network, CommandError> {
        let plugin = self.registry.load(name)?;
        plugin.cni()?;
        Ok(Network::Plugin { plugin, values })
    }

    fn run(&self, network: Network, given: &Given) -> Result<Rendered, CommandError> {
        let mut rendered = Rendered::default();
        if self.request.renders(RenderPart::Bootstrap) {
            let requirements = self.infrastructure.bootstrap(&self.cluster)?;
            rendered.objects.push(requirements.kind_config(BOOTSTRAP));
        }
        if self.request.part == RenderPart::Bootstrap {
            return Ok(rendered);
        }
        let manifests = self.infrastructure.render(&self.cluster)?;
        let about = self.about(&manifests.objects);
        if self.request.renders(RenderPart::Cluster) {
            rendered.objects.extend(manifests.objects);
            rendered.notes.extend(manifests.notes);
        }
        if self.request.renders(RenderPart::Cni) {
            self.add_network(network, about, given, &mut rendered)?;
        }
        Ok(rendered)
    }

    fn add_network(
        &self,
        network: Network,
        about: CniCluster,
        given: &Given,
        rendered: &mut Rendered,
    ) -> Result<(), CommandError> {
        let (plan, by) = match network {
            Network::NotNeeded => {
                rendered.notes.push(format!(
                    "clusters of the plugin `{}` need no network of their own",
                    self.plugin.info().name
                ));
                return Ok(());
            }
            Network::Plan(plan) => (plan, self.plugin.info().name.clone()),
            Network::Plugin { plugin, values } => {
                let variables = given.for_plugin(&plugin.variables()?);
                let manifests = match &self.request.cni_manifest {
                    Some(path) => read_manifests(path)?,
                    None => Vec::new(),
                };
                let request = CniRequest { cluster: about, variables, values, manifests };
                let install = plugin.cni()?.plan(&request)?;
                rendered.notes.extend(install.notes);
                (install.plan, plugin.info().name.clone())
            }
        };
        rendered.objects.extend(self.show(plan).ok_or(RenderError::UnknownPlan(by))?);
        Ok(())
    }

    /// Objects where the plan has some, else the plan as a document.
    fn show(&self, plan: CniPlan) -> Option<Vec<Value>> {
        match plan {
            CniPlan::Manifests { objects } => Some(objects),
            CniPlan::HelmChart(_) | CniPlan::HelmChartProxy { .. } => Some(vec![json!({
                "apiVersion": "kubectl-pivot.io/v1alpha1",
                "kind": "CniPlan",
                "metadata": {"name": self.cluster.name, "namespace": self.cluster.namespace},
                "spec": plan,
            })]),
            _ => None,
        }
    }

    /// What a CNI plugin has to know, read from the objects as they will be.
    fn about(&self, objects: &[Value]) -> CniCluster {
        let cluster = objects.iter().find(|object| {
            object["kind"] == "Cluster"
                && group_of(object["apiVersion"].as_str().unwrap_or_default()) == "cluster.x-k8s.io"
        });
        let spec = cluster.map_or(&Value::Null, |cluster| &cluster["spec"]);
        let ranges = |field: &str| {
            let ranges = spec["clusterNetwork"][field]["cidrBlocks"].as_array();
            let ranges = ranges.into_iter().flatten().filter_map(Value::as_str);
            ranges.map(str::to_owned).collect()
        };
        let control_plane = objects.iter().find(|object| {
            object["kind"] == spec["controlPlaneRef"]["kind"]
                && object["metadata"]["name"] == spec["controlPlaneRef"]["name"]
        });
        let version = control_plane
            .map_or(&spec["topology"]["version"], |object| &object["spec"]["version"])
            .as_str();
        CniCluster {
            name: self.cluster.name.clone(),
            namespace: self.cluster.namespace.clone(),
            infrastructure: self.plugin.info().name.clone(),
            pod_cidrs: ranges("pods"),
            service_cidrs: ranges("services"),
            kubernetes_version: version
                .map(str::to_owned)
                .or_else(|| self.cluster.kubernetes_version.clone()),
            api_endpoint: None,
        }
    }
}

/// Names the variable that is wrong, and where it can be set.
fn check(declared: &[Variable], given: &Map<String, Value>) -> Result<(), CommandError> {
    Values::resolve(declared, given).map(drop).map_err(CommandError::Variable)
}

async fn served(kubeconfig: &KubeconfigRef) -> Result<Vec<ServedKind>, CommandError> {
    let client = Client::connect("management", kubeconfig).await?;
    let served = Served::read_settled(&client, is_cluster_api).await?;
    let kinds = served_kinds(&served);
    if !kinds.iter().any(|kind| kind.kind == "Cluster") {
        let server = client.server().to_owned();
        return Err(RenderError::NotAManagementCluster { server }.into());
    }
    Ok(kinds)
}

fn read_manifests(path: &Path) -> Result<Vec<Value>, RenderError> {
    let error = |source| RenderError::Manifests { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(|source| error(source.into()))?;
    yaml::documents(&text).map_err(|source| error(source.into()))
}
