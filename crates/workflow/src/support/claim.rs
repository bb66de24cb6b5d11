//! Ownership of a kind cluster: it may be deleted only by the run that has made it.
//!
//! The mark says it, once it is written. kind gives the nodes a label with the id of the run, so
//! that a cluster whose run was killed before the mark is known from its first node on.

use std::path::Path;

use capi::{set_field, well_known};
use cluster::{Client, KubeconfigRef, RetryPolicy};
use serde_json::{Value, json};

use super::mark::{self, Mark};
use crate::error::StepError;
use crate::store::RunFolder;

/// Label of nodes. Its value is the id in the file [`BEGUN`].
const LABEL: &str = "kubectl-pivot.io/create";
/// File of the folder of a run: the run has begun to make a kind cluster, under this id.
const BEGUN: &str = "bootstrap.begun";

/// The relation of a kind cluster that answers to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It has the mark of the run.
    Marked(Mark),
    /// The run began to make it, and was interrupted before the mark: nothing is in it.
    Unfinished,
    /// It belongs to somebody else, also if that is who made the run and wanted to keep it.
    Foreign,
}

/// Reads whose a cluster is.
pub(crate) async fn of(
    cluster: &Client,
    folder: &RunFolder,
    run: &str,
) -> Result<Claim, StepError> {
    if let Some(mark) = mark::read(cluster, run).await? {
        return Ok(Claim::Marked(mark));
    }
    let Some(id) = id(folder) else { return Ok(Claim::Foreign) };
    let nodes = cluster.list(&well_known::node(), None).await?;
    // Nobody can use a cluster that has no node yet.
    let is_ours = nodes.iter().all(|node| node.label(LABEL) == Some(id.as_str()));
    Ok(if is_ours { Claim::Unfinished } else { Claim::Foreign })
}

/// A client for the question whose a cluster is: it does not wait long for one that has stopped.
pub(crate) async fn client(kubeconfig: &Path) -> Result<Client, StepError> {
    let client = Client::connect("bootstrap", &KubeconfigRef::file(kubeconfig)).await?;
    Ok(client.with_retry(RetryPolicy::brief()))
}

/// Writes down that the run makes a kind cluster from now on, and puts its id into the
/// configuration.
pub(crate) fn stake(folder: &RunFolder, config: &mut Value) -> Result<(), StepError> {
    let id = format!("{:016x}", rand::random::<u64>());
    folder.write(BEGUN, &id)?;
    for node in config["nodes"].as_array_mut().into_iter().flatten() {
        set_field(node, &["labels", LABEL], json!(id));
    }
    Ok(())
}

/// Takes back what [`stake`] has written: the run makes no kind cluster after all.
pub(crate) fn withdraw(folder: &RunFolder) -> Result<(), StepError> {
    Ok(folder.discard(BEGUN)?)
}

/// Gives a cluster away: it is the user's from now on.
pub(crate) async fn release(
    cluster: &Client,
    folder: &RunFolder,
    run: &str,
) -> Result<(), StepError> {
    // In this order a run that is killed in between still has the mark, and does the rest again.
    folder.discard(BEGUN)?;
    mark::remove(cluster, run).await
}

/// Returns true if the run has begun to make a kind cluster.
pub(crate) fn is_staked(folder: &RunFolder) -> bool {
    folder.file(BEGUN).exists()
}

fn id(folder: &RunFolder) -> Option<String> {
    std::fs::read_to_string(folder.file(BEGUN)).ok()
}
