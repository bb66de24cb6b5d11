//! State that steps share.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use blueprint::{Blueprint, BlueprintRequest, Clusterctl, KeptTemplate, served_by};
use cluster::{Client, KubeconfigRef};
use kubectl_pivot_plugin_api::{IpFamily, Manifests};
use plugin_host::Registry;
use serde_json::Value;
use support::journal::Events;
use tools::{KnownTool, Output, Tool, ToolCommand, Toolbox};
use transfer::Stop;

use super::document::{Bootstrap, PivotDocument};
use super::error::{StepError, WorkflowError};
use super::order::Step;
use super::removal;
use super::spec::Spec;
use super::store::RunFolder;
use super::support::kind::Kind;
use super::support::{probes, template};
use super::user_kubeconfig::Access;

/// Name of the kubeconfig of the bootstrap cluster in the folder of the run.
pub(super) const BOOTSTRAP_KUBECONFIG: &str = "bootstrap.kubeconfig";
/// Name of the kubeconfig of the target in the folder of the run.
pub(super) const TARGET_KUBECONFIG: &str = "target.kubeconfig";

/// One run of `create` or `delete`.
#[derive(Debug)]
pub struct Workflow {
    pub(super) spec: Spec,
    pub(super) folder: RunFolder,
    pub(super) blueprint: Blueprint,
    /// Programs, and the token that ends all steps: the user's, or [`Workflow::halt`]'s.
    pub(super) toolbox: Toolbox,
    pub(super) events: Events,
    pub(super) stop: Stop,
    /// Steps that this process has done, for steps that run beside others.
    pub(super) done: Mutex<BTreeSet<Step>>,
    /// Owner of the bootstrap cluster, as the mark in it has it.
    owner: String,
    /// The management cluster that a deletion is about.
    management: Option<KubeconfigRef>,
    /// Reasons for which the bootstrap cluster may not come up on this machine.
    doubts: Vec<String>,
}

impl Workflow {
    /// Prepares a run: the document is completed, plugins are loaded, the folder is taken.
    ///
    /// # Errors
    /// The document is not complete, a plugin or a variable is wrong, or another process has the
    /// run.
    pub async fn prepare(
        document: PivotDocument,
        registry: &Registry,
        mut toolbox: Toolbox,
        stop: &Stop,
    ) -> Result<Self, WorkflowError> {
        let spec = Spec::resolve(document)?;
        let kept = template::of_run(&spec.name)?;
        let blueprint = described(&spec, registry, (&mut toolbox, kept.as_ref())).await?;
        check_skips(&spec, &blueprint)?;
        let folder = RunFolder::begin(&spec.name, &without_secrets(&spec.document, &blueprint))?;
        template::keep(&folder, blueprint.to_keep())?;
        Ok(Self::new(spec, blueprint, folder, toolbox, stop))
    }

    /// Prepares a deletion, in a folder beside those of the runs of `create`.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn prepare_removal(
        document: PivotDocument,
        management: KubeconfigRef,
        registry: &Registry,
        toolbox: Toolbox,
        stop: &Stop,
    ) -> Result<Self, WorkflowError> {
        let spec = Spec::resolve(document)?;
        let request =
            BlueprintRequest { wants_network: false, is_removal: true, ..spec.blueprint()? };
        let blueprint = Blueprint::new(registry, request)?;
        let folder = RunFolder::begin_removal(&spec.name)?;
        let owner = removal::owner(&spec.name);
        let new = Self::new(spec, blueprint, folder, toolbox, stop);
        Ok(Self { owner, management: Some(management), ..new })
    }

    fn new(
        spec: Spec,
        blueprint: Blueprint,
        folder: RunFolder,
        mut toolbox: Toolbox,
        stop: &Stop,
    ) -> Self {
        // A child: a step that fails ends the others, and not what the user may still want to stop.
        toolbox.stop = stop.token().child_token();
        let events = toolbox.events.clone();
        let (stop, done) = (stop.clone(), Mutex::default());
        let (owner, management, doubts) = (spec.name.clone(), None, Vec::new());
        Self { spec, folder, blueprint, toolbox, events, stop, done, owner, management, doubts }
    }

    /// Leaves out further readiness probes, which the run was not begun without.
    ///
    /// # Errors
    /// A plugin refuses, or a name means nothing.
    pub fn skipping(mut self, probes: Vec<String>) -> Result<Self, WorkflowError> {
        self.spec.document.spec.skip_probes.extend(probes);
        check_skips(&self.spec, &self.blueprint)?;
        Ok(self)
    }

    /// Lets the first step warn of what may go wrong on this machine.
    #[must_use]
    pub fn with_doubts(mut self, doubts: Vec<String>) -> Self {
        self.doubts = doubts;
        self
    }

    /// Returns true if the bootstrap cluster has IPv6.
    pub fn wants_ipv6(&self) -> bool {
        let family = self.blueprint.bootstrap().ok().and_then(|wanted| wanted.ip_family);
        matches!(family, Some(IpFamily::Ipv6 | IpFamily::Dual))
    }

    /// Removes the folder of the run.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn forget(self) -> Result<(), WorkflowError> {
        Ok(self.folder.remove()?)
    }

    /// The settings of the run.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The context that the user's kubeconfig has for the target, if it was merged.
    pub fn merged_context(&self) -> Option<String> {
        let kubeconfig = self.at(Step::MergeKubeconfig, Events::none()).target_kubeconfig();
        let access = self.spec.merges_kubeconfig().then(|| Access::read(&kubeconfig))?;
        access.ok().map(|access| access.names.context)
    }

    /// Ends what overlaps with a step that has failed.
    pub(super) fn halt(&self) {
        self.toolbox.stop.cancel();
    }

    pub(super) fn set_done(&self, step: Step) {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(step);
    }

    pub(super) fn is_done(&self, step: Step) -> bool {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).contains(&step)
    }

    pub(super) fn at(&self, step: Step, events: Events) -> StepContext<'_> {
        let toolbox = Toolbox { events: events.clone(), ..self.toolbox.clone() };
        StepContext { workflow: self, step, events, toolbox }
    }
}

/// The description by the plugins. Secrets among the variables are known from then on, and the
/// template of a provider is filled in, unless the user brings manifests, or the run has kept it.
pub(super) async fn described(
    spec: &Spec,
    registry: &Registry,
    (toolbox, kept): (&mut Toolbox, Option<&KeptTemplate>),
) -> Result<Blueprint, WorkflowError> {
    let mut blueprint = Blueprint::new(registry, spec.blueprint()?)?;
    for secret in blueprint.secrets() {
        toolbox.redactor.add(secret);
    }
    if spec.document.spec.cluster_manifest.is_none() {
        let config = spec.document.spec.clusterctl_config.as_deref();
        blueprint.generate(&Clusterctl { toolbox, config, kept }).await?;
    }
    Ok(blueprint)
}

/// Checks that the probes that are to be left out exist.
pub(super) fn check_skips(spec: &Spec, blueprint: &Blueprint) -> Result<(), WorkflowError> {
    if spec.document.spec.skip_probes.is_empty() {
        return Ok(());
    }
    let objects = draft(spec, blueprint);
    let objects = objects.map_err(|error| WorkflowError::before_all(&spec.name, error))?;
    Ok(probes::check_skips(spec, blueprint, &objects)??)
}

/// The objects of the cluster, as far as they are known without a management cluster.
pub(super) fn draft(spec: &Spec, blueprint: &Blueprint) -> Result<Vec<Value>, StepError> {
    match spec.cluster_manifest()? {
        Some(objects) => Ok(objects),
        None => Ok(blueprint.manifests()?.objects),
    }
}

/// Secrets are not kept; `resume` takes them from the environment again.
fn without_secrets(document: &PivotDocument, blueprint: &Blueprint) -> PivotDocument {
    let mut document = document.clone();
    document.spec.set.retain(|name, _| {
        !blueprint.variables().iter().any(|variable| variable.name == *name && variable.secret)
    });
    document
}

/// One step at work.
pub(super) struct StepContext<'a> {
    pub(super) workflow: &'a Workflow,
    pub(super) step: Step,
    pub(super) events: Events,
    toolbox: Toolbox,
}

impl StepContext<'_> {
    pub(super) fn spec(&self) -> &Spec {
        &self.workflow.spec
    }

    pub(super) fn blueprint(&self) -> &Blueprint {
        &self.workflow.blueprint
    }

    pub(super) fn folder(&self) -> &RunFolder {
        &self.workflow.folder
    }

    pub(super) async fn tool(&self, known: KnownTool) -> Result<Tool, StepError> {
        Ok(self.toolbox.find(known).await?)
    }

    pub(super) async fn kind(&self) -> Result<Kind<'_>, StepError> {
        Kind::find(&self.toolbox, self.folder(), self.step).await
    }

    /// Runs a program with this step's log.
    pub(super) async fn run(&self, tool: &Tool, command: ToolCommand) -> Result<Output, StepError> {
        let command = command.log_to(self.folder().log(self.step.name()));
        Ok(tool.run(&command, &self.toolbox).await?)
    }

    /// Fails if the run should stop; called between requests.
    pub(super) fn check(&self) -> Result<(), StepError> {
        if self.toolbox.stop.is_cancelled() { Err(StepError::Interrupted) } else { Ok(()) }
    }

    /// Ends when it is time to stop.
    pub(super) async fn stopped(&self) {
        self.toolbox.stop.cancelled().await;
    }

    pub(super) fn timeout(&self) -> Duration {
        self.spec().timeout
    }

    /// Owner of the bootstrap cluster, as the mark in it has it.
    pub(super) fn owner(&self) -> &str {
        &self.workflow.owner
    }

    /// The advice for a bootstrap cluster that will not come back.
    pub(super) fn if_lost(&self) -> String {
        let name = &self.spec().name;
        let command = match &self.workflow.management {
            Some(_) => format!("kubectl pivot delete {name} --forget"),
            None => format!("kubectl pivot abort {name} --forget"),
        };
        format!(
            "if it is lost before the cluster had moved on, remove the machines by hand, then \
             `{command}`"
        )
    }

    /// Returns the path of the bootstrap cluster's kubeconfig.
    pub(super) fn bootstrap_kubeconfig(&self) -> PathBuf {
        match (self.spec().bootstrap, &self.spec().bootstrap_kubeconfig.path) {
            (Bootstrap::Existing, Some(path)) => path.clone(),
            _ => self.folder().file(BOOTSTRAP_KUBECONFIG),
        }
    }

    /// Returns the path of the target's kubeconfig.
    pub(super) fn target_kubeconfig(&self) -> PathBuf {
        let given = &self.spec().document.spec.to_kubeconfig;
        given.clone().unwrap_or_else(|| self.folder().file(TARGET_KUBECONFIG))
    }

    pub(super) fn write_bootstrap_kubeconfig(&self, text: &str) -> Result<PathBuf, StepError> {
        Ok(self.folder().write(BOOTSTRAP_KUBECONFIG, text)?)
    }

    pub(super) fn write_target_kubeconfig(&self, text: &[u8]) -> Result<PathBuf, StepError> {
        Ok(self.folder().write(TARGET_KUBECONFIG, text)?)
    }

    /// The clusters of the run by their names.
    pub(super) fn clusters(&self) -> [(&'static str, KubeconfigRef); 2] {
        let other = match &self.workflow.management {
            Some(management) => ("management", management.clone()),
            None => ("target", KubeconfigRef::file(self.target_kubeconfig())),
        };
        [("bootstrap", KubeconfigRef::file(self.bootstrap_kubeconfig())), other]
    }

    /// Returns true if this is a deletion.
    pub(super) fn is_removal(&self) -> bool {
        self.workflow.management.is_some()
    }

    pub(super) fn doubts(&self) -> &[String] {
        &self.workflow.doubts
    }

    pub(super) async fn bootstrap(&self) -> Result<Client, StepError> {
        let kubeconfig = KubeconfigRef::file(self.bootstrap_kubeconfig());
        Ok(Client::connect("bootstrap", &kubeconfig).await?)
    }

    pub(super) async fn target(&self) -> Result<Client, StepError> {
        if let Some(management) = &self.workflow.management {
            return Ok(Client::connect("management", management).await?);
        }
        let kubeconfig = KubeconfigRef::file(self.target_kubeconfig());
        Ok(Client::connect("target", &kubeconfig).await?)
    }

    /// The objects of the cluster, as far as they are known without a management cluster.
    pub(super) fn draft(&self) -> Result<Vec<Value>, StepError> {
        draft(self.spec(), self.blueprint())
    }

    /// The objects of the cluster in what this management cluster serves.
    pub(super) async fn objects(&self, cluster: &Client) -> Result<Manifests, StepError> {
        if let Some(objects) = self.spec().cluster_manifest()? {
            return Ok(objects.into());
        }
        let served = served_by(cluster).await?;
        Ok(self.blueprint().manifests_for(served)?)
    }
}
