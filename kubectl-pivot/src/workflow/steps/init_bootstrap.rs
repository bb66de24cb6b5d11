//! The bootstrap cluster becomes a management cluster.

use std::path::Path;

use crate::tools::KnownTool;
use crate::workflow::context::Turn;
use crate::workflow::document::Bootstrap;
use crate::workflow::error::StepError;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::support::providers;

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let cluster = turn.bootstrap().await?;
    providers::ensure(turn, &cluster, &turn.bootstrap_kubeconfig(), None).await
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
