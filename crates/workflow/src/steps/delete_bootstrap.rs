//! The bootstrap cluster goes, if it is this run's and nothing is left in it but what the target
//! has.

use cluster::Client;
use support::causes::in_one_line;
use tools::{KnownTool, ToolCommand};

use super::left;
use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::store::RunFolder;
use crate::support::{claim, clusters, mark};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let spec = step_context.spec();
    let cluster = step_context.bootstrap().await?;
    if !spec.deletes_bootstrap() {
        claim::release(&cluster, step_context.folder(), step_context.owner()).await?;
        return Ok(match spec.bootstrap {
            Bootstrap::Existing => "it is yours, and stays".to_owned(),
            Bootstrap::Kind => "kept, because of --keep-bootstrap".to_owned(),
        });
    }
    refuse_to_delete(step_context, &cluster).await?;
    step_context.folder().write(DELETING, &spec.bootstrap_name)?;
    finish(step_context).await
}

/// Says in the folder of the run that the bootstrap cluster holds nothing that would be lost.
const DELETING: &str = "bootstrap.deleting";

/// Returns true if the deletion was started: a half-deleted cluster cannot be asked for its
/// Clusters.
pub(crate) fn is_begun(folder: &RunFolder) -> bool {
    folder.file(DELETING).exists()
}

/// Deletes the bootstrap cluster, which held nothing of its own when this began. One that answers
/// is asked again: after an interruption it may be another cluster of this name, or somebody may
/// use it.
pub(crate) async fn finish(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let name = &step_context.spec().bootstrap_name;
    let kind = step_context.kind().await?;
    if kind.has(name).await? {
        match answering(step_context).await? {
            Some(client) => {
                if is_back(step_context, &client).await? {
                    // The run is before its move again.
                    step_context.folder().discard(DELETING)?;
                }
                refuse_to_delete(step_context, &client).await?;
            }
            None if !step_context.is_removal() => left::refuse_if_back(step_context).await?,
            None => {}
        }
        kind.delete(name, &step_context.bootstrap_kubeconfig()).await?;
    }
    if let Err(error) = left::end(step_context).await {
        // It is in nobody's way, and the run is over.
        let why = in_one_line(&error);
        step_context.events.warning(format!("the record of the move stays in the target: {why}"));
    }
    Ok(format!("{name} is gone"))
}

/// Returns true if a rollback has brought the Cluster back to the bootstrap cluster.
async fn is_back(step_context: &StepContext<'_>, cluster: &Client) -> Result<bool, StepError> {
    let is_creation = !step_context.is_removal();
    Ok(is_creation && !left::clusters_at_stake(step_context, cluster).await?.is_empty())
}

/// Returns a client of the kind cluster if it answers.
async fn answering(step_context: &StepContext<'_>) -> Result<Option<Client>, StepError> {
    let kubeconfig =
        step_context.kind().await?.kubeconfig(&step_context.spec().bootstrap_name).await?;
    let Some(kubeconfig) = kubeconfig else { return Ok(None) };
    let client = claim::client(&step_context.write_bootstrap_kubeconfig(&kubeconfig)?).await?;
    let is_answering = clusters::ready(&client).await.is_ok();
    Ok(is_answering.then_some(client))
}

async fn refuse_to_delete(
    step_context: &StepContext<'_>,
    cluster: &Client,
) -> Result<(), StepError> {
    let spec = step_context.spec();
    let left = left::clusters_at_stake(step_context, cluster).await?;
    if !left.is_empty() {
        return Err(StepError::refused(
            format!("the bootstrap cluster still holds {}", left.join(", ")),
            "move or delete them first; --keep-bootstrap leaves the bootstrap cluster as it is",
        ));
    }
    if mark::read(cluster, step_context.owner()).await?.is_none() {
        return Err(StepError::refused(
            format!(
                "the kind cluster `{}` was not created by this run: it does not have its mark",
                spec.bootstrap_name
            ),
            format!("if nobody needs it: kind delete cluster --name {}", spec.bootstrap_name),
        ));
    }
    Ok(())
}

/// The Clusters that a management cluster still has, in all namespaces.
pub(crate) async fn clusters_left(cluster: &Client) -> Result<Vec<String>, StepError> {
    let Some(kind) = clusters::kind(cluster).await? else { return Ok(Vec::new()) };
    let left = cluster.list_metadata(&kind, None).await?;
    Ok(left.iter().map(|object| object.id().to_string()).collect())
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> StepPreview {
    let spec = sketch.spec;
    if !spec.deletes_bootstrap() {
        return StepPreview::says("leaves the bootstrap cluster as it is");
    }
    let command = ToolCommand::new(["delete", "cluster"]).flag("--name", &spec.bootstrap_name);
    StepPreview::says("refuses while the bootstrap cluster has a Cluster that the target has not")
        .running(KnownTool::Kind, &command)
}
