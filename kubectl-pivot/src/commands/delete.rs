//! `delete`: a management cluster that manages itself, with its machines.

use std::path::PathBuf;

use cluster::{Client, KubeconfigRef};
use serde::Serialize;
use tools::Toolbox;
use transfer::{Stop, installed_providers};
use workflow::{
    Bootstrap, Outline, PivotDocument, PivotMetadata, PivotSpec, Prospect, RunFolder, StoreError,
    Workflow, prospect, removal_outline, remove,
};

use super::create::StepReport;
use super::error::CommandError;
use super::kept::kept;
use super::plugin::{PluginPlaces, plugin_registry};

/// The request of `delete`.
#[derive(Clone, Debug, Default)]
pub struct DeleteRequest {
    /// Name of the Cluster.
    pub name: String,
    /// Namespace of the Cluster.
    pub namespace: Option<String>,
    /// The management cluster.
    pub management: KubeconfigRef,
    /// Infrastructure plugin.
    pub infrastructure: Option<String>,
    /// Kind of the bootstrap cluster.
    pub bootstrap: Option<Bootstrap>,
    /// Name of the bootstrap cluster in kind.
    pub bootstrap_name: Option<String>,
    /// Node image of the bootstrap cluster.
    pub bootstrap_image: Option<String>,
    /// Kubeconfig of an existing bootstrap cluster.
    pub bootstrap_kubeconfig: Option<PathBuf>,
    /// Configuration of clusterctl.
    pub clusterctl_config: Option<PathBuf>,
    /// Seconds that each wait may take.
    pub timeout: Option<u64>,
    /// Places of plugins.
    pub plugins: PluginPlaces,
}

/// The result of a deletion.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeleteReport {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `DeleteReport`.
    pub kind: &'static str,
    /// Name of the Cluster.
    pub name: String,
    /// Namespace of the Cluster.
    pub namespace: String,
    /// The steps, in order.
    pub steps: Vec<StepReport>,
}

/// A deletion that was prepared: the user decides.
#[derive(Debug)]
pub struct Deletion {
    workflow: Workflow,
    /// True if this machine has the run that made the cluster.
    has_run: bool,
    /// The cluster and its machines, for the question.
    pub prospect: Prospect,
}

/// Looks at what a deletion would remove. Changes nothing.
///
/// # Errors
/// The cluster is not there, does not manage itself or manages others too, or a plugin is missing.
pub async fn delete_prepare(
    request: DeleteRequest,
    toolbox: Toolbox,
    stop: &Stop,
) -> Result<Deletion, CommandError> {
    let registry = plugin_registry(&request.plugins)?;
    let run = kept(&request).await?;
    let management = run.kubeconfig.unwrap_or_else(|| request.management.clone());
    let document = document(request, run.document, &management).await?;
    let workflow = Workflow::prepare_removal(document, management, &registry, toolbox, stop)?;
    let prospect = prospect(&workflow).await?;
    Ok(Deletion { workflow, has_run: run.is_there, prospect })
}

/// Forgets a deletion that cannot come to its end: its folder goes, and nothing else.
///
/// # Errors
/// There is none of this name, another process has it, or the folder cannot be removed.
pub fn delete_forget(name: &str) -> Result<(), CommandError> {
    Ok(RunFolder::open_removal(name)?.remove()?)
}

impl Deletion {
    /// Says what each step would do.
    pub fn outline(&self) -> Outline {
        removal_outline(&self.workflow)
    }

    /// Deletes the cluster, or carries an interrupted deletion on.
    ///
    /// # Errors
    /// A step fails; the same command continues.
    pub async fn run(self) -> Result<DeleteReport, CommandError> {
        let done = remove(&self.workflow).await?;
        let spec = self.workflow.spec();
        let report = DeleteReport {
            api_version: workflow::API_VERSION,
            kind: "DeleteReport",
            name: spec.name.clone(),
            namespace: spec.namespace.clone(),
            steps: done.into_iter().map(StepReport::from).collect(),
        };
        self.workflow.forget()?;
        if self.has_run {
            forget_creation(&report.name)?;
        }
        Ok(report)
    }
}

/// The run that had created the cluster is of no use any more; its folder has kubeconfigs.
fn forget_creation(name: &str) -> Result<(), CommandError> {
    match RunFolder::open(name) {
        Ok(folder) => Ok(folder.remove()?),
        Err(StoreError::Unknown(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The settings: flags, then those of the run of `create` on this machine.
async fn document(
    request: DeleteRequest,
    created: PivotDocument,
    management: &KubeconfigRef,
) -> Result<PivotDocument, CommandError> {
    let base = match request.bootstrap.unwrap_or_default() {
        Bootstrap::Kind => of_kind(&created.spec),
        Bootstrap::Existing => PivotSpec::default(),
    };
    let infrastructure = match request.infrastructure.or(created.spec.infrastructure) {
        Some(name) => name,
        None => installed_infrastructure(management).await?,
    };
    let namespace = request.namespace.or(created.metadata.namespace);
    let spec = PivotSpec {
        infrastructure: Some(infrastructure),
        set: created.spec.set,
        bootstrap: request.bootstrap,
        bootstrap_name: request.bootstrap_name,
        bootstrap_image: request.bootstrap_image.or(created.spec.bootstrap_image),
        bootstrap_kubeconfig: request.bootstrap_kubeconfig,
        clusterctl_config: request.clusterctl_config.or(created.spec.clusterctl_config),
        timeout: request.timeout,
        ..base
    };
    let metadata = PivotMetadata { name: Some(request.name), namespace };
    Ok(PivotDocument { metadata, spec, ..PivotDocument::default() })
}

/// Makes a bootstrap cluster as `create` did: behind a proxy, or without a way to registries, there
/// is no other one. Files may be gone since then, and nobody can name others.
fn of_kind(created: &PivotSpec) -> PivotSpec {
    let is_there = |path: &&PathBuf| path.is_file();
    PivotSpec {
        kind_config: created.kind_config.as_ref().filter(is_there).cloned(),
        load_image: created.load_image.clone(),
        image_bundle: created.image_bundle.iter().filter(is_there).cloned().collect(),
        ..PivotSpec::default()
    }
}

/// The one infrastructure provider of the management cluster: its plugin has the same name.
async fn installed_infrastructure(management: &KubeconfigRef) -> Result<String, CommandError> {
    let client = Client::connect("management", management).await?;
    let providers = installed_providers(&client).await?;
    let mut names: Vec<_> =
        providers.into_iter().filter(|provider| provider.is_infrastructure()).collect();
    match (names.pop(), names.is_empty()) {
        (Some(only), true) => Ok(only.name),
        _ => Err(CommandError::Usage(
            "name the infrastructure plugin with --infrastructure: the management cluster does not \
             have exactly one infrastructure provider"
                .to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_bootstrap_cluster_is_made_as_by_create() {
        let dir = tempfile::tempdir().expect("temp dir");
        let [config, bundle] = ["kind.yaml", "images.tar"].map(|name| dir.path().join(name));
        for path in [&config, &bundle] {
            std::fs::write(path, "").expect("written");
        }
        let spec = PivotSpec {
            infrastructure: Some("docker".to_owned()),
            kind_config: Some(config.clone()),
            load_image: vec!["a:1".to_owned()],
            image_bundle: vec![bundle.clone(), dir.path().join("gone.tar")],
            ..PivotSpec::default()
        };
        let created = PivotDocument { spec, ..PivotDocument::default() };
        let made = |bootstrap| {
            let request = DeleteRequest { bootstrap, ..DeleteRequest::default() };
            let created = created.clone();
            async move { document(request, created, &KubeconfigRef::default()).await }
        };
        let spec = made(None).await.expect("complete").spec;
        assert_eq!((spec.kind_config, spec.load_image), (Some(config), vec!["a:1".to_owned()]));
        assert_eq!(spec.image_bundle, [bundle]);
        let spec = made(Some(Bootstrap::Existing)).await.expect("complete").spec;
        assert!(spec.kind_config.is_none() && spec.load_image.is_empty());
        assert!(spec.image_bundle.is_empty());
    }
}
