//! The bootstrap cluster gets what the management cluster has, at the same versions.

use transfer::installed_providers;

use super::place::{self, Place};
use crate::context::Turn;
use crate::error::StepError;
use crate::support::providers;

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    if matches!(place::find(turn).await?, Place::Bootstrap | Place::Nowhere) {
        return Ok("was done before".to_owned());
    }
    let like = installed_providers(&turn.target().await?).await?;
    let cluster = turn.bootstrap().await?;
    let kubeconfig = turn.bootstrap_kubeconfig();
    let installed = providers::ensure_same(turn, &cluster, &kubeconfig, &like).await?;
    let available = providers::available(turn, &cluster).await?;
    Ok(format!("{installed}; {available} deployments available"))
}
