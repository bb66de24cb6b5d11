//! The bootstrap cluster: made by kind, or one that is there.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::delete_bootstrap::delete_kind_cluster;
use crate::tools::{KnownTool, Tool, ToolCommand};
use crate::workflow::context::Turn;
use crate::workflow::document::Bootstrap;
use crate::workflow::error::StepError;
use crate::workflow::order::Step;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::spec::Spec;
use crate::workflow::store::StepState;
use crate::workflow::support::mark::{self, Mark};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    if turn.spec().bootstrap == Bootstrap::Existing {
        let cluster = turn.bootstrap().await?;
        if mark::read(&cluster, turn.owner()).await?.is_none() {
            mark::write(&cluster, turn.owner(), &Mark::default()).await?;
        }
        return Ok(format!("{} is used", cluster.server()));
    }
    let kind = turn.tool(KnownTool::Kind).await?;
    let name = &turn.spec().bootstrap_name;
    let begun = turn.folder().file(BEGUN);
    if !kind_clusters(turn, &kind).await?.iter().any(|known| known == name) {
        refuse_second_life(turn, "is gone")?;
        return create(turn, &kind).await;
    }
    let kubeconfig = turn
        .run(&kind, ToolCommand::new(["get", "kubeconfig"]).flag("--name", name).keep_stdout())
        .await;
    if let Ok(kubeconfig) = kubeconfig {
        turn.write_bootstrap_kubeconfig(&kubeconfig.stdout)?;
        let is_ours = mark::read(&turn.bootstrap().await?, turn.owner()).await;
        if matches!(is_ours, Ok(Some(_))) {
            return Ok(format!("{name} was there already"));
        }
    }
    if !begun.exists() {
        return Err(StepError::refused(
            format!("a kind cluster `{name}` exists already, and this run did not create it"),
            format!(
                "choose another name with --bootstrap-name, use it with --bootstrap existing, or \
                 delete it with `kind delete cluster --name {name}`"
            ),
        ));
    }
    refuse_second_life(turn, "does not answer")?;
    // This run began to create it and was interrupted: half a cluster, with nothing in it.
    turn.events.note(format!("{name} was not finished; it is made anew"));
    delete_kind_cluster(turn, &kind, name).await?;
    create(turn, &kind).await
}

/// Once the cluster was applied or moved there, its machines exist: in another bootstrap cluster it would
/// be managed twice.
fn refuse_second_life(turn: &Turn<'_>, what: &str) -> Result<(), StepError> {
    let state = turn.folder().state()?;
    if [Step::ApplyCluster, Step::Move].iter().all(|step| *state.of(*step) == StepState::Waiting) {
        return Ok(());
    }
    let name = &turn.spec().bootstrap_name;
    Err(StepError::refused(
        format!("the kind cluster `{name}` of this run {what}, and the cluster was applied to it"),
        "start its containers if they have stopped, then resume; if it is lost and the cluster had \
         been moved, all is done; if not, its machines are left over: remove them by hand",
    ))
}

/// Returns true if the bootstrap cluster of a run that was about to delete it is gone: nothing is left to do.
pub(in super::super) async fn is_gone(turn: &Turn<'_>) -> Result<bool, StepError> {
    if turn.spec().bootstrap != Bootstrap::Kind {
        return Ok(false);
    }
    let kind = turn.tool(KnownTool::Kind).await?;
    Ok(!kind_clusters(turn, &kind).await?.contains(&turn.spec().bootstrap_name))
}

/// Says in the folder of the run that the kind cluster of this name is its own.
const BEGUN: &str = "bootstrap.begun";
/// kind's configuration in the folder of the run.
const CONFIG: &str = "kind.yaml";

async fn kind_clusters(turn: &Turn<'_>, kind: &Tool) -> Result<Vec<String>, StepError> {
    let listed = turn.run(kind, ToolCommand::new(["get", "clusters"]).keep_stdout()).await?;
    Ok(listed.stdout.lines().map(|line| line.trim().to_owned()).collect())
}

async fn create(turn: &Turn<'_>, kind: &Tool) -> Result<String, StepError> {
    let name = &turn.spec().bootstrap_name;
    let config = turn.folder().write_yaml(CONFIG, &config(turn.spec(), turn.blueprint())?)?;
    turn.folder().write(BEGUN, name)?;
    let kubeconfig = turn.bootstrap_kubeconfig();
    // kind writes into the file that is there; it is private before it has anything in it.
    turn.write_bootstrap_kubeconfig("")?;
    turn.run(kind, command(turn.spec(), &config, &kubeconfig)).await?;
    let cluster = turn.bootstrap().await?;
    mark::write(&cluster, turn.owner(), &Mark::default()).await?;
    Ok(format!("{name} at {}", cluster.server()))
}

fn config(spec: &Spec, blueprint: &crate::blueprint::Blueprint) -> Result<Value, StepError> {
    Ok(blueprint.bootstrap()?.kind_config(&spec.bootstrap_name))
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
