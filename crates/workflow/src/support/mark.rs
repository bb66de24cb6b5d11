//! The mark of a run in its bootstrap cluster: whose it is, and whether the cluster was applied.
//!
//! It decides where a local file could be lost: a bootstrap cluster without this run's mark is
//! somebody else's and is never deleted, and a cluster that was applied once is not applied again,
//! since it may have moved away meanwhile.

use capi::{ResourceType, well_known};
use cluster::{Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

use super::apply::MANAGER;
use crate::error::StepError;

const NAMESPACE: &str = "kube-system";

/// Content of the mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// True if all objects of the cluster have been applied.
    pub(crate) applied: bool,
}

fn kind() -> ResourceType {
    well_known::config_map()
}

fn name(run: &str) -> String {
    format!("kubectl-pivot-create-{run}")
}

/// Returns the namespace and name of the mark of a run.
pub(crate) fn place(run: &str) -> String {
    format!("{NAMESPACE}/{}", name(run))
}

/// Reads the mark of a run.
pub(crate) async fn read(cluster: &Client, run: &str) -> Result<Option<Mark>, StepError> {
    let found = cluster.get(&kind(), Some(NAMESPACE), &name(run)).await?;
    Ok(found.map(|object| Mark { applied: object.value()["data"]["applied"] == "true" }))
}

/// Writes the mark of a run.
pub(crate) async fn write(cluster: &Client, run: &str, mark: &Mark) -> Result<(), StepError> {
    let object: Value = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name(run), "namespace": NAMESPACE},
        "data": {"run": run, "applied": mark.applied.to_string()},
    });
    let options = WriteOptions::manager(MANAGER);
    let patch = (PatchKind::Apply, &object);
    cluster.patch(&kind(), (Some(NAMESPACE), &name(run)), patch, &options).await?;
    Ok(())
}

/// Removes the mark of a run.
pub(crate) async fn remove(cluster: &Client, run: &str) -> Result<(), StepError> {
    if let Some(object) = cluster.get(&kind(), Some(NAMESPACE), &name(run)).await? {
        cluster.delete(&kind(), Some(NAMESPACE), &name(run), object.uid()).await?;
    }
    Ok(())
}
