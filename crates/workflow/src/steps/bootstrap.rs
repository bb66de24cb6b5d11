//! The bootstrap cluster: made by kind, or one that is there.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tools::{Ending, KnownTool, ToolCommand, ToolError};

use crate::context::Turn;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{Draft, Sketch};
use crate::spec::Spec;
use crate::support::claim::{self, Claim};
use crate::support::kind::Kind;
use crate::support::kind_config;
use crate::support::mark::{self, Mark};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    if turn.spec().bootstrap == Bootstrap::Existing {
        let cluster = turn.bootstrap().await?;
        if mark::read(&cluster, turn.owner()).await?.is_none() {
            refuse_another(turn, cluster.server())?;
            mark::write(&cluster, turn.owner(), &Mark::default()).await?;
        }
        return Ok(format!("{} is used", cluster.server()));
    }
    let kind = turn.kind().await?;
    let name = &turn.spec().bootstrap_name;
    if !kind.has(name).await? {
        refuse_second_life(turn, "is gone")?;
        return create(turn, &kind).await;
    }
    match whose(turn, &kind).await? {
        Some(Claim::Marked(_)) => return Ok(format!("{name} was there already")),
        Some(Claim::Foreign) => return Err(foreign(name)),
        None if !claim::is_staked(turn.folder()) => return Err(foreign(name)),
        Some(Claim::Unfinished) => refuse_second_life(turn, "has lost the mark of the run")?,
        None => refuse_second_life(turn, "does not answer")?,
    }
    // This run began to create it and was interrupted: half a cluster, with nothing in it.
    turn.events.note(format!("{name} was not finished; it is created again"));
    kind.delete(name, &turn.bootstrap_kubeconfig()).await?;
    create(turn, &kind).await
}

/// Returns what the kind cluster is to this run; none if it does not answer.
async fn whose(turn: &Turn<'_>, kind: &Kind<'_>) -> Result<Option<Claim>, StepError> {
    let Some(kubeconfig) = kind.kubeconfig(&turn.spec().bootstrap_name).await? else {
        return Ok(None);
    };
    let file = turn.write_bootstrap_kubeconfig(&kubeconfig)?;
    let asked = claim::of(&claim::client(&file).await?, turn.folder(), turn.owner()).await;
    Ok(asked.ok())
}

/// Without the mark, the cluster of this kubeconfig is another one than that which the run has
/// used, or the run was at its end already.
fn refuse_another(turn: &Turn<'_>, server: &str) -> Result<(), StepError> {
    let state = turn.folder().state()?;
    if !state.may_have_applied() || state.of(Step::Move).is_done() {
        return Ok(());
    }
    Err(StepError::refused(
        format!(
            "{server} is not the bootstrap cluster of this run any more: it does not have its mark"
        ),
        format!(
            "make the kubeconfig lead to the cluster that this run began with; {}",
            turn.if_lost()
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
fn refuse_second_life(turn: &Turn<'_>, what: &str) -> Result<(), StepError> {
    if !turn.folder().state()?.may_have_applied() {
        return Ok(());
    }
    let name = &turn.spec().bootstrap_name;
    Err(StepError::refused(
        format!("the kind cluster `{name}` of this run {what}, and the cluster was applied to it"),
        format!(
            "start its containers if they have stopped, then run the command again; {}",
            turn.if_lost()
        ),
    ))
}

/// kind's configuration in the folder of the run.
const CONFIG: &str = "kind.yaml";

async fn create(turn: &Turn<'_>, kind: &Kind<'_>) -> Result<String, StepError> {
    let mut config = config(turn.spec(), turn.blueprint())?;
    claim::stake(turn.folder(), &mut config)?;
    let config = turn.folder().write_yaml(CONFIG, &config)?;
    let kubeconfig = turn.bootstrap_kubeconfig();
    // kind writes into the file that is there; it is private before it has anything in it.
    turn.write_bootstrap_kubeconfig("")?;
    if let Err(error) = kind.run(command(turn.spec(), &config, &kubeconfig)).await {
        withdraw(turn, kind, &error).await?;
        return Err(error);
    }
    let cluster = turn.bootstrap().await?;
    mark::write(&cluster, turn.owner(), &Mark::default()).await?;
    Ok(format!("{} at {}", turn.spec().bootstrap_name, cluster.server()))
}

/// kind that gives up leaves no cluster of this run: one of this name is that of another run, which
/// was faster.
async fn withdraw(turn: &Turn<'_>, kind: &Kind<'_>, error: &StepError) -> Result<(), StepError> {
    let StepError::Tool(ToolError::Failed(failure)) = error else { return Ok(()) };
    if !matches!(failure.ending, Ending::Code(_)) {
        return Ok(());
    }
    // Without an answer nobody knows, so all stays as it is.
    let Ok(is_there) = kind.has(&turn.spec().bootstrap_name).await else { return Ok(()) };
    if is_there
        && matches!(
            whose(turn, kind).await,
            Ok(Some(Claim::Marked(_) | Claim::Unfinished)) | Err(_)
        )
    {
        return Ok(());
    }
    claim::withdraw(turn.folder())
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

pub(super) fn sketch(sketch: &Sketch<'_>) -> Result<Draft, StepError> {
    let spec = sketch.spec;
    if spec.bootstrap == Bootstrap::Existing {
        let path = spec.bootstrap_kubeconfig.path.clone().unwrap_or_default();
        return Ok(Draft::says(format!("uses the cluster of {}", path.display())));
    }
    let command = command(spec, Path::new(CONFIG), Path::new("bootstrap.kubeconfig"));
    Ok(Draft::says(format!("creates the kind cluster {} if it is not there", spec.bootstrap_name))
        .running(KnownTool::Kind, &command)
        .applying([config(spec, sketch.blueprint)?]))
}
