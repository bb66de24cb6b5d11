//! The bootstrap cluster: made by kind, or one that is there.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tools::{Ending, KnownTool, ToolCommand, ToolError};

use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{DryRun, StepPreview};
use crate::spec::Spec;
use crate::support::claim::{self, Claim};
use crate::support::kind::Kind;
use crate::support::kind_config;
use crate::support::mark::{self, Mark};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    if step_context.spec().bootstrap == Bootstrap::Existing {
        let cluster = step_context.bootstrap().await?;
        if mark::read(&cluster, step_context.owner()).await?.is_none() {
            refuse_another(step_context, cluster.server())?;
            // A run that was killed after it had given the cluster back has moved: its objects are
            // not applied again.
            let applied = step_context.folder().state()?.may_have_applied();
            mark::write(&cluster, step_context.owner(), &Mark { applied }).await?;
        }
        return Ok(format!("{} is used", cluster.server()));
    }
    let kind = step_context.kind().await?;
    let name = &step_context.spec().bootstrap_name;
    if !kind.has(name).await? {
        refuse_second_life(step_context, "is gone")?;
        return create(step_context, &kind).await;
    }
    match whose(step_context, &kind).await? {
        Some(Claim::Marked(_)) => return Ok(format!("{name} was there already")),
        Some(Claim::Foreign) => return Err(foreign(name)),
        None if !claim::is_staked(step_context.folder()) => return Err(foreign(name)),
        Some(Claim::Unfinished) => {
            refuse_second_life(step_context, "has lost the mark of the run")?
        }
        None => refuse_second_life(step_context, "does not answer")?,
    }
    // This run began to create it and was interrupted: half a cluster, with nothing in it.
    step_context.events.note(format!("{name} was not finished; it is created again"));
    kind.delete(name, &step_context.bootstrap_kubeconfig()).await?;
    create(step_context, &kind).await
}

/// Returns what the kind cluster is to this run; none if it does not answer.
async fn whose(
    step_context: &StepContext<'_>,
    kind: &Kind<'_>,
) -> Result<Option<Claim>, StepError> {
    let Some(kubeconfig) = kind.kubeconfig(&step_context.spec().bootstrap_name).await? else {
        return Ok(None);
    };
    let file = step_context.write_bootstrap_kubeconfig(&kubeconfig)?;
    let asked =
        claim::of(&claim::client(&file).await?, step_context.folder(), step_context.owner()).await;
    Ok(asked.ok())
}

/// Without the mark, the cluster of this kubeconfig is another one than that which the run has
/// used, or the run was at its end already.
fn refuse_another(step_context: &StepContext<'_>, server: &str) -> Result<(), StepError> {
    let state = step_context.folder().state()?;
    if !state.may_have_applied() || state.of(Step::Move).is_done() {
        return Ok(());
    }
    Err(StepError::refused(
        format!(
            "{server} is not the bootstrap cluster of this run any more: it does not have its mark"
        ),
        format!(
            "make the kubeconfig lead to the cluster that this run began with; {}",
            step_context.if_lost()
        ),
    ))
}

fn foreign(name: &str) -> StepError {
    StepError::refused(
        format!("a kind cluster `{name}` exists already, and this run did not create it"),
        format!(
            "choose another name with --bootstrap-name, use it with --bootstrap existing, or \
             delete it with `kind delete cluster --name {name}`"
        ),
    )
}

/// Once the cluster was applied or moved there, its machines exist: in another bootstrap cluster it
/// would be managed twice.
fn refuse_second_life(step_context: &StepContext<'_>, what: &str) -> Result<(), StepError> {
    if !step_context.folder().state()?.may_have_applied() {
        return Ok(());
    }
    let name = &step_context.spec().bootstrap_name;
    Err(StepError::refused(
        format!("the kind cluster `{name}` of this run {what}, and the cluster was applied to it"),
        format!(
            "start its containers if they have stopped, then run the command again; {}",
            step_context.if_lost()
        ),
    ))
}

/// kind's configuration in the folder of the run.
const CONFIG: &str = "kind.yaml";

async fn create(step_context: &StepContext<'_>, kind: &Kind<'_>) -> Result<String, StepError> {
    let mut config = config(step_context.spec(), step_context.blueprint())?;
    claim::stake(step_context.folder(), &mut config)?;
    let config = step_context.folder().write_yaml(CONFIG, &config)?;
    let kubeconfig = step_context.bootstrap_kubeconfig();
    // kind writes into the file that is there; it is private before it has anything in it.
    step_context.write_bootstrap_kubeconfig("")?;
    if let Err(error) = kind.run(command(step_context.spec(), &config, &kubeconfig)).await {
        withdraw(step_context, kind, &error).await?;
        return Err(error);
    }
    let cluster = step_context.bootstrap().await?;
    mark::write(&cluster, step_context.owner(), &Mark::default()).await?;
    Ok(format!("{} at {}", step_context.spec().bootstrap_name, cluster.server()))
}

/// kind that gives up leaves no cluster of this run: one of this name is that of another run, which
/// was faster.
async fn withdraw(
    step_context: &StepContext<'_>,
    kind: &Kind<'_>,
    error: &StepError,
) -> Result<(), StepError> {
    let StepError::Tool(ToolError::Failed(failure)) = error else { return Ok(()) };
    if !matches!(failure.ending, Ending::Code(_)) {
        return Ok(());
    }
    // Without an answer nobody knows, so all stays as it is.
    let Ok(is_there) = kind.has(&step_context.spec().bootstrap_name).await else { return Ok(()) };
    if is_there
        && matches!(
            whose(step_context, kind).await,
            Ok(Some(Claim::Marked(_) | Claim::Unfinished)) | Err(_)
        )
    {
        return Ok(());
    }
    claim::withdraw(step_context.folder())
}

/// The configuration of kind: the plugin's, in that of the user if there is one.
pub(super) fn config(spec: &Spec, blueprint: &blueprint::Blueprint) -> Result<Value, StepError> {
    let wanted = blueprint.bootstrap()?.kind_config(&spec.bootstrap_name);
    match &spec.document.spec.kind_config {
        Some(path) => kind_config::merged(path, wanted),
        None => Ok(wanted),
    }
}

fn command(spec: &Spec, config: &Path, kubeconfig: &Path) -> ToolCommand {
    let mut command = ToolCommand::new(["create", "cluster"])
        .flag("--name", &spec.bootstrap_name)
        .flag("--config", config)
        .flag("--kubeconfig", kubeconfig)
        .flag("--wait", format!("{}s", spec.timeout.as_secs()))
        .within(spec.timeout + Duration::from_secs(120));
    if let Some(image) = &spec.document.spec.bootstrap_image {
        command = command.flag("--image", image);
    }
    command
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    let spec = sketch.spec;
    if spec.bootstrap == Bootstrap::Existing {
        let path = spec.bootstrap_kubeconfig.path.clone().unwrap_or_default();
        return Ok(StepPreview::says(format!("uses the cluster of {}", path.display())));
    }
    let command = command(spec, Path::new(CONFIG), Path::new("bootstrap.kubeconfig"));
    Ok(StepPreview::says(format!(
        "creates the kind cluster {} if it is not there",
        spec.bootstrap_name
    ))
    .running(KnownTool::Kind, &command)
    .applying([config(spec, sketch.blueprint)?]))
}
