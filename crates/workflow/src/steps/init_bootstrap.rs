//! The bootstrap cluster becomes a management cluster.

use std::path::Path;

use tools::KnownTool;

use crate::context::Turn;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::outline::{Draft, Sketch};
use crate::support::{limits, providers};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let cluster = turn.bootstrap().await?;
    let done = providers::ensure(turn, &cluster, &turn.bootstrap_kubeconfig(), None).await?;
    limits::check_cluster_api(turn.blueprint(), &cluster).await?;
    Ok(done)
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Result<Draft, StepError> {
    let kubeconfig = match (sketch.spec.bootstrap, &sketch.spec.bootstrap_kubeconfig.path) {
        (Bootstrap::Existing, Some(path)) => path.clone(),
        _ => Path::new("bootstrap.kubeconfig").to_owned(),
    };
    let providers = providers::providers(sketch.spec, sketch.blueprint)?;
    let command = providers::sketch(sketch.spec, &kubeconfig, &providers);
    Ok(Draft::says("installs the providers that are not there yet")
        .running(KnownTool::Clusterctl, &command))
}
