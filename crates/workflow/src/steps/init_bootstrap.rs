//! The bootstrap cluster becomes a management cluster.

use std::path::Path;

use tools::KnownTool;
use transfer::installed_providers;

use crate::context::Turn;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::outline::{Draft, Sketch};
use crate::support::{images, limits, providers, versions};

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let cluster = turn.bootstrap().await?;
    if turn.spec().bootstrap == Bootstrap::Kind {
        images::load(turn, &turn.spec().bootstrap_name).await?;
    }
    let kept = versions::read(turn);
    let kubeconfig = turn.bootstrap_kubeconfig();
    let done = providers::ensure(turn, &cluster, &kubeconfig, &kept).await?;
    versions::keep(turn, &installed_providers(&cluster).await?)?;
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
    let environment = providers.environment.iter();
    let environment =
        environment.map(|(name, value)| format!("sets {name}={value} for clusterctl"));
    let mut draft = environment
        .fold(Draft::says("installs the providers that are not there yet"), Draft::and);
    if sketch.spec.bootstrap == Bootstrap::Kind {
        for load in images::commands(sketch.spec, &sketch.spec.bootstrap_name) {
            draft = draft.running(KnownTool::Kind, &load);
        }
    }
    Ok(draft.running(KnownTool::Clusterctl, &command))
}
