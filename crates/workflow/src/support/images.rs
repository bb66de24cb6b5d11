//! Images of this machine for nodes that cannot pull them.

use std::path::PathBuf;

use tools::{KnownTool, ToolCommand};

use crate::context::StepContext;
use crate::error::StepError;
use crate::spec::Spec;

/// Loads the images of the run into the nodes of a cluster that are there now; kind passes over
/// nodes that have them. Counts images and archives.
pub(crate) async fn load(
    step_context: &StepContext<'_>,
    cluster: &str,
) -> Result<usize, StepError> {
    let commands = commands(step_context.spec(), cluster);
    if commands.is_empty() {
        return Ok(0);
    }
    let kind = step_context.kind().await?;
    for command in commands {
        kind.run(command.within(step_context.timeout())).await?;
    }
    Ok(step_context.spec().document.spec.load_image.len()
        + step_context.spec().document.spec.image_bundle.len())
}

/// As [`load`], into the machines of the target, if those are containers of this machine's engine.
pub(crate) async fn load_into_target(step_context: &StepContext<'_>) -> Result<usize, StepError> {
    let tools = step_context.blueprint().bootstrap()?.tools;
    if !tools.iter().any(|tool| tool.name == KnownTool::Docker.name()) {
        return Ok(0);
    }
    load(step_context, &step_context.spec().name).await
}

/// The commands that load them.
pub(crate) fn commands(spec: &Spec, cluster: &str) -> Vec<ToolCommand> {
    let (images, bundles) = (&spec.document.spec.load_image, &spec.document.spec.image_bundle);
    let mut commands = Vec::new();
    if !images.is_empty() {
        let words = ["load", "docker-image"].map(str::to_owned).into_iter();
        commands.push(ToolCommand::new(words.chain(images.iter().cloned())));
    }
    let archive = |path: &PathBuf| ToolCommand::new(["load", "image-archive"]).arg(path);
    commands.extend(bundles.iter().map(archive));
    commands.into_iter().map(|command| command.flag("--name", cluster)).collect()
}

/// Fails if an archive is not there: better known now than when the nodes are.
pub(crate) fn check(spec: &Spec) -> Result<(), StepError> {
    let missing = spec.document.spec.image_bundle.iter().find(|path| !path.is_file());
    missing.map_or(Ok(()), |path| {
        Err(StepError::refused(
            format!("there is no archive of images {}", path.display()),
            "name one that `docker save` has written with --image-bundle FILE",
        ))
    })
}
