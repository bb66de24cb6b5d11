//! The target becomes a management cluster, with the versions of the bootstrap cluster.

use std::path::Path;

use crate::tools::KnownTool;
use crate::transfer::installed_providers;
use crate::workflow::context::Turn;
use crate::workflow::error::StepError;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::support::providers;

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let bootstrap = turn.bootstrap().await?;
    let like = installed_providers(&bootstrap).await?;
    let target = turn.target().await?;
    providers::ensure(turn, &target, &turn.target_kubeconfig(), Some(&like)).await
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Result<Draft, StepError> {
    let providers = providers::providers(sketch.spec, sketch.blueprint)?;
    let command = providers::sketch(sketch.spec, Path::new("target.kubeconfig"), &providers);
    Ok(Draft::says("installs the providers, at the versions that the bootstrap cluster has")
        .running(KnownTool::Clusterctl, &command))
}
