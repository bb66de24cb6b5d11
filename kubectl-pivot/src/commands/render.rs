//! `render`: what plugins make of a request, as objects to look at, keep or apply. Writes nothing.

use std::path::{Path, PathBuf};

use blueprint::{Blueprint, BlueprintRequest, Clusterctl, NetworkPlan, served_by};
use cluster::{Client, KubeconfigRef};
use kubectl_pivot_plugin_api::CniPlan;
use serde_json::{Value, json};
use support::yaml;
use tools::Toolbox;

use super::error::CommandError;
use super::plugin::{PluginPlaces, plugin_registry};

/// Name of the bootstrap cluster in kind's configuration.
const BOOTSTRAP: &str = "bootstrap";

/// The request of `render`.
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
    /// Source of the versions that the management cluster serves.
    pub management: ManagementCluster,
    /// Part to render.
    pub part: RenderPart,
    /// Places of plugins.
    pub plugins: PluginPlaces,
    /// The clusterctl that fills in the template of a provider.
    pub toolbox: Toolbox,
    /// The configuration of clusterctl.
    pub clusterctl_config: Option<PathBuf>,
}

/// Sources of the versions that the management cluster serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ManagementCluster {
    /// Nothing.
    #[default]
    Unknown,
    /// A version of Cluster API.
    Version(String),
    /// The cluster itself, which is asked.
    At(KubeconfigRef),
}

/// Parts to render.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RenderPart {
    /// The objects of the cluster.
    #[default]
    Cluster,
    /// kind's configuration for the bootstrap cluster.
    Bootstrap,
    /// The network: manifests or a plan for Helm.
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

/// Errors of `render`, except those of plugins.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Nothing could be applied there.
    #[error("{server} serves no kinds of Cluster API")]
    NotAManagementCluster {
        /// URL of the API server.
        server: String,
    },
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
    /// Returns the next step for the user.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotAManagementCluster { .. } => {
                "install the providers first with `clusterctl init`, or give --capi-version"
            }
            Self::Manifests { .. } => "give --cni-manifest a file of YAML or JSON objects",
        }
    }
}

/// Asks the plugins, and the management cluster if one is given.
///
/// # Errors
/// A plugin cannot be used or refuses, a variable is wrong, or the cluster does not answer.
pub async fn render_manifests(request: &RenderRequest) -> Result<Rendered, CommandError> {
    let registry = plugin_registry(&request.plugins)?;
    // Before the cluster is asked: a plugin that is not there is the first thing to tell.
    registry.load(&request.infrastructure)?;
    let mut blueprint = Blueprint::new(&registry, request.blueprint().await?)?;
    let mut rendered = Rendered::default();
    if request.renders(RenderPart::Bootstrap) {
        rendered.objects.push(blueprint.bootstrap()?.kind_config(BOOTSTRAP));
    }
    if request.part == RenderPart::Bootstrap {
        return Ok(rendered);
    }
    let mut toolbox = request.toolbox.clone();
    for secret in blueprint.secrets() {
        toolbox.redactor.add(secret);
    }
    let config = request.clusterctl_config.as_deref();
    blueprint.generate(&Clusterctl { toolbox: &toolbox, config, kept: None }).await?;
    let manifests = blueprint.manifests()?;
    let network = match request.renders(RenderPart::Cni) {
        true => blueprint.network(&manifests.objects, None)?,
        false => NetworkPlan::default(),
    };
    if request.renders(RenderPart::Cluster) {
        rendered.objects.extend(manifests.objects);
        rendered.notes.extend(manifests.notes);
    }
    rendered.notes.extend(network.notes);
    rendered.objects.extend(network.plan.into_iter().flat_map(|plan| request.show(plan)));
    Ok(rendered)
}

impl RenderRequest {
    async fn blueprint(&self) -> Result<BlueprintRequest, CommandError> {
        let mut blueprint = BlueprintRequest {
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            infrastructure: self.infrastructure.clone(),
            cni: self.cni.clone(),
            variables: self.variables.iter().map(assignment).collect(),
            kubernetes_version: self.kubernetes_version.clone(),
            wants_network: self.renders(RenderPart::Cni) || self.cni.is_some(),
            ..BlueprintRequest::default()
        };
        if let Some(path) = &self.cni_manifest {
            blueprint.cni_manifests = Some(read_manifests(path)?);
        }
        match &self.management {
            ManagementCluster::Unknown => {}
            ManagementCluster::Version(version) => blueprint.capi_version = Some(version.clone()),
            ManagementCluster::At(kubeconfig) => {
                let client = Client::connect("management", kubeconfig).await?;
                blueprint.served = served_by(&client).await?;
                if blueprint.served.is_empty() {
                    let server = client.server().to_owned();
                    return Err(RenderError::NotAManagementCluster { server }.into());
                }
            }
        }
        Ok(blueprint)
    }

    fn renders(&self, part: RenderPart) -> bool {
        self.part == part || self.part == RenderPart::All
    }

    /// Objects where the plan has some, else the plan as a document.
    fn show(&self, plan: CniPlan) -> Vec<Value> {
        match plan {
            CniPlan::Manifests { objects } => objects,
            plan => vec![json!({
                "apiVersion": "kubectl-pivot.io/v1alpha1",
                "kind": "CniPlan",
                "metadata": {"name": self.name, "namespace": self.namespace},
                "spec": plan,
            })],
        }
    }
}

fn assignment((name, value): &(String, String)) -> (String, Value) {
    (name.clone(), value.as_str().into())
}

fn read_manifests(path: &Path) -> Result<Vec<Value>, RenderError> {
    let error = |source| RenderError::Manifests { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(|source| error(source.into()))?;
    yaml::documents(&text).map_err(|source| error(source.into()))
}
