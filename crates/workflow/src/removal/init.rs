//! The bootstrap cluster gets what the management cluster has, at the same versions.

use transfer::installed_providers;

use super::place::{self, Place};
use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::support::{images, providers};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    if matches!(place::find(step_context).await?, Place::Bootstrap | Place::Nowhere) {
        return Ok("was done before".to_owned());
    }
    let like = installed_providers(&step_context.target().await?).await?;
    let cluster = step_context.bootstrap().await?;
    if step_context.spec().bootstrap == Bootstrap::Kind {
        images::load(step_context, &step_context.spec().bootstrap_name).await?;
    }
    let kubeconfig = step_context.bootstrap_kubeconfig();
    let installed = providers::ensure_same(step_context, &cluster, &kubeconfig, &like).await?;
    let available = providers::available(step_context, &cluster).await?;
    Ok(format!("{installed}; {available} deployments available"))
}
