//! The bootstrap cluster goes, if it is this run's and nothing is left in it.

use crate::cluster::{Client, Served};
use crate::tools::{KnownTool, Tool, ToolCommand};
use crate::workflow::context::Turn;
use crate::workflow::error::StepError;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::support::mark;

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let spec = turn.spec();
    let cluster = turn.bootstrap().await?;
    if !spec.deletes_bootstrap() {
        mark::remove(&cluster, turn.owner()).await?;
        return Ok("kept, because of --keep-bootstrap".to_owned());
    }
    let left = clusters_left(&cluster).await?;
    if !left.is_empty() {
        return Err(StepError::refused(
            format!("the bootstrap cluster still holds {}", left.join(", ")),
            "move or delete them first; --keep-bootstrap leaves the bootstrap cluster as it is",
        ));
    }
    if mark::read(&cluster, turn.owner()).await?.is_none() {
        return Err(StepError::refused(
            format!(
                "the kind cluster `{}` was not created by this run: it does not have its mark",
                spec.bootstrap_name
            ),
            format!("if nobody needs it: kind delete cluster --name {}", spec.bootstrap_name),
        ));
    }
    turn.folder().write(DELETING, &spec.bootstrap_name)?;
    finish(turn).await
}

/// Says in the folder of the run that the bootstrap cluster was empty and may be deleted.
const DELETING: &str = "bootstrap.deleting";

/// Returns true if the deletion was started: a half-deleted cluster cannot be asked for its Clusters.
pub(in super::super) fn is_begun(turn: &Turn<'_>) -> bool {
    turn.folder().file(DELETING).exists()
}

/// Deletes the bootstrap cluster, which is known to be empty.
pub(in super::super) async fn finish(turn: &Turn<'_>) -> Result<String, StepError> {
    let name = &turn.spec().bootstrap_name;
    let kind = turn.tool(KnownTool::Kind).await?;
    delete_kind_cluster(turn, &kind, name).await?;
    Ok(format!("{name} is gone"))
}

/// The Clusters that a management cluster still has, in all namespaces.
pub(in super::super) async fn clusters_left(cluster: &Client) -> Result<Vec<String>, StepError> {
    let served = Served::read(cluster).await?;
    let Some(kind) = served.versions("cluster.x-k8s.io", "Cluster").first() else {
        return Ok(Vec::new());
    };
    let left = cluster.list_metadata(kind, None).await?;
    Ok(left.iter().map(|object| object.id().to_string()).collect())
}

pub(in super::super) async fn delete_kind_cluster(
    turn: &Turn<'_>,
    kind: &Tool,
    name: &str,
) -> Result<(), StepError> {
    // kind would take the context out of the user's kubeconfig, where it never was.
    let kubeconfig = turn.folder().file("bootstrap.kubeconfig");
    let command = ToolCommand::new(["delete", "cluster"])
        .flag("--name", name)
        .flag("--kubeconfig", kubeconfig);
    turn.run(kind, command).await?;
    Ok(())
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Draft {
    let spec = sketch.spec;
    if !spec.deletes_bootstrap() {
        return Draft::says("leaves the bootstrap cluster as it is");
    }
    let command = ToolCommand::new(["delete", "cluster"]).flag("--name", &spec.bootstrap_name);
    Draft::says("refuses while a Cluster is left in the bootstrap cluster")
        .running(KnownTool::Kind, &command)
}
