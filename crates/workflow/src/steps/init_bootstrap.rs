//! The bootstrap cluster becomes a management cluster.

use std::path::Path;

use tools::KnownTool;
use transfer::installed_providers;

use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::{images, limits, providers, versions};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let cluster = step_context.bootstrap().await?;
    if step_context.spec().bootstrap == Bootstrap::Kind {
        images::load(step_context, &step_context.spec().bootstrap_name).await?;
    }
    let kept = versions::read(step_context);
    let kubeconfig = step_context.bootstrap_kubeconfig();
    let done = providers::ensure(step_context, &cluster, &kubeconfig, &kept).await?;
    versions::keep(step_context, &installed_providers(&cluster).await?)?;
    limits::check_cluster_api(step_context.blueprint(), &cluster).await?;
    Ok(done)
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
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
        .fold(StepPreview::says("installs the providers that are not there yet"), StepPreview::and);
    if sketch.spec.bootstrap == Bootstrap::Kind {
        for load in images::commands(sketch.spec, &sketch.spec.bootstrap_name) {
            draft = draft.running(KnownTool::Kind, &load);
        }
    }
    Ok(draft.running(KnownTool::Clusterctl, &command))
}
