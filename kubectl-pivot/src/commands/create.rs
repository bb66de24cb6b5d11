//! `create`: from nothing to a management cluster, or carrying on such a run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use tools::Toolbox;
use transfer::Stop;
use workflow::{
    Abort, Finished, Leftovers, Outline, PivotDocument, RunFolder, RunState, Workflow, outline,
    read_document, run, runs,
};

use super::doctor::doubts;
use super::error::CommandError;
use super::plugin::{PluginPlaces, plugin_registry};

/// The request of `create`.
#[derive(Clone, Debug)]
pub struct CreateRequest {
    /// A document; flags win over it.
    pub file: Option<PathBuf>,
    /// The settings from flags.
    pub flags: PivotDocument,
    /// Places of plugins.
    pub plugins: PluginPlaces,
}

/// The result of a run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PivotReport {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `PivotReport`.
    pub kind: &'static str,
    /// Name of the Cluster.
    pub name: String,
    /// Namespace of the Cluster.
    pub namespace: String,
    /// File with the target's kubeconfig.
    pub kubeconfig: PathBuf,
    /// The context that was merged into the user's kubeconfig; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The steps in the order in which they ended; none if the run had ended before.
    pub steps: Vec<StepReport>,
}

/// A step that was done.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Name of the step.
    pub step: &'static str,
    /// Result of the step, in words.
    pub summary: String,
    /// Duration in seconds.
    pub seconds: f64,
}

impl CreateRequest {
    fn document(&self) -> Result<PivotDocument, CommandError> {
        let base =
            self.file.as_deref().map_or_else(|| Ok(PivotDocument::default()), read_document)?;
        Ok(absolute(base.overridden_by(self.flags.clone())))
    }
}

/// A run may be continued from another folder.
fn absolute(mut document: PivotDocument) -> PivotDocument {
    let name = document.metadata.name.clone().unwrap_or_default();
    let spec = &mut document.spec;
    spec.to_kubeconfig_out.get_or_insert_with(|| PathBuf::from(format!("{name}.kubeconfig")));
    for path in spec.paths_mut() {
        if let Ok(absolute) = std::path::absolute(&*path) {
            *path = absolute;
        }
    }
    document
}

/// Says what a run would do.
///
/// # Errors
/// The document is wrong or not complete, or a plugin refuses.
pub async fn create_outline(
    request: &CreateRequest,
    toolbox: Toolbox,
) -> Result<Outline, CommandError> {
    let registry = plugin_registry(&request.plugins)?;
    Ok(outline(request.document()?, &registry, toolbox).await?)
}

/// Creates the cluster, or continues a run of that name.
///
/// # Errors
/// The document is wrong, or a step fails.
pub async fn create(
    request: &CreateRequest,
    toolbox: Toolbox,
    stop: &Stop,
) -> Result<PivotReport, CommandError> {
    let registry = plugin_registry(&request.plugins)?;
    let workflow = Workflow::prepare(request.document()?, &registry, toolbox.clone(), stop).await?;
    perform(workflow, &toolbox).await
}

/// The request to continue a run.
#[derive(Clone, Debug)]
pub struct CreateResumeRequest {
    /// Name of the run.
    pub name: String,
    /// Readiness probes to leave out, besides those that it was begun without.
    pub skip_probes: Vec<String>,
    /// Seconds that each wait may take; otherwise as the run was begun.
    pub timeout: Option<u64>,
    /// Kubeconfig to reach the target with; otherwise as the run was begun.
    pub to_kubeconfig: Option<PathBuf>,
    /// Places of plugins.
    pub plugins: PluginPlaces,
}

/// Continues a run of this machine.
///
/// # Errors
/// There is none of this name, or a step fails.
pub async fn create_resume(
    request: CreateResumeRequest,
    toolbox: Toolbox,
    stop: &Stop,
) -> Result<PivotReport, CommandError> {
    let workflow = reopen(&request, toolbox.clone(), stop).await?;
    perform(workflow.skipping(request.skip_probes)?, &toolbox).await
}

/// The run that is to be aborted, and what that would remove.
///
/// # Errors
/// There is none of this name, or its bootstrap cluster holds Clusters.
pub async fn create_leftovers(
    name: &str,
    toolbox: Toolbox,
) -> Result<(Abort, Leftovers), CommandError> {
    let abort = Abort::open(name, toolbox)?;
    let leftovers = abort.leftovers().await?;
    Ok((abort, leftovers))
}

/// Runs of `create` on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PivotRunList"))]
#[serde(rename_all = "camelCase")]
pub struct PivotRuns {
    /// `kubectl-pivot.io/v1alpha1`.
    pub api_version: &'static str,
    /// `PivotRunList`.
    pub kind: &'static str,
    /// The runs, by name.
    pub items: Vec<RunState>,
}

/// The runs of this machine: all of them, or the one of this name.
///
/// # Errors
/// They cannot be read, or there is none of this name.
pub fn create_status(name: Option<&str>) -> Result<PivotRuns, CommandError> {
    let mut states = runs()?;
    if let Some(name) = name {
        states.retain(|state| state.name == name);
        if states.is_empty() {
            return Err(workflow::StoreError::Unknown(name.to_owned()).into());
        }
    }
    Ok(PivotRuns { api_version: workflow::API_VERSION, kind: "PivotRunList", items: states })
}

/// Shows the runs now, and again whenever they have changed, until none is active or the user
/// stops.
///
/// # Errors
/// They cannot be read, or there is none of this name.
pub async fn watch_create(
    name: Option<&str>,
    stop: &Stop,
    mut show: impl FnMut(&PivotRuns),
) -> Result<(), CommandError> {
    let mut shown = None;
    loop {
        let now = create_status(name)?;
        if shown.as_ref() != Some(&now) {
            show(&now);
        }
        if stop.is_requested() || !now.items.iter().any(|run| run.running) {
            return Ok(());
        }
        shown = Some(now);
        stop.wait(Duration::from_secs(1)).await;
    }
}

/// A run as it was begun, but for what the request says.
async fn reopen(
    request: &CreateResumeRequest,
    toolbox: Toolbox,
    stop: &Stop,
) -> Result<Workflow, CommandError> {
    let registry = plugin_registry(&request.plugins)?;
    let mut document = RunFolder::open(&request.name)?.document()?;
    document.spec.timeout = request.timeout.or(document.spec.timeout);
    let given = request.to_kubeconfig.as_ref();
    let given = given.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    document.spec.to_kubeconfig = given.or(document.spec.to_kubeconfig);
    Ok(Workflow::prepare(document, &registry, toolbox, stop).await?)
}

/// Looks at this machine as `doctor` does, if kind is to make a cluster on it.
async fn with_doubts(workflow: Workflow, toolbox: &Toolbox) -> Workflow {
    if workflow.spec().bootstrap != workflow::Bootstrap::Kind {
        return workflow;
    }
    let mut doubts = doubts(toolbox).await;
    if !workflow.wants_ipv6() {
        doubts.retain(|doubt| !doubt.starts_with("ipv6:"));
    }
    workflow.with_doubts(doubts)
}

async fn perform(workflow: Workflow, toolbox: &Toolbox) -> Result<PivotReport, CommandError> {
    let workflow = with_doubts(workflow, toolbox).await;
    let done = run(&workflow).await?;
    let spec = workflow.spec();
    Ok(PivotReport {
        api_version: workflow::API_VERSION,
        kind: "PivotReport",
        name: spec.name.clone(),
        namespace: spec.namespace.clone(),
        kubeconfig: Path::new(&spec.kubeconfig_out).to_owned(),
        context: workflow.merged_context(),
        steps: done.into_iter().map(StepReport::from).collect(),
    })
}

impl From<Finished> for StepReport {
    fn from(finished: Finished) -> Self {
        Self {
            step: finished.step.name(),
            summary: finished.summary,
            seconds: finished.elapsed.as_secs_f64(),
        }
    }
}
