//! The objects of the cluster, applied once: after that they may have moved away.

use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::apply::{Kinds, apply, ensure_namespace};
use crate::support::mark::{self, Mark};
use crate::support::namespaces::refuse_missing_namespaces;
use crate::support::probes::ProbeTargets;
use crate::support::providers;
use crate::support::taken::refuse_taken;

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let cluster = step_context.bootstrap().await?;
    let run = &step_context.spec().name;
    if mark::read(&cluster, run).await?.unwrap_or_default().applied {
        return Ok("was applied before".to_owned());
    }
    ensure_namespace(&cluster, &step_context.spec().namespace, &serde_json::Value::Null).await?;
    refuse_missing_namespaces(&cluster, &step_context.draft()?).await?;
    providers::answering(step_context, &cluster, ProbeTargets::Bootstrap(&cluster)).await?;
    let manifests = step_context.objects(&cluster).await?;
    for note in manifests.notes {
        step_context.events.note(note);
    }
    let objects = manifests.objects;
    let kinds = Kinds::read(&cluster).await?;
    refuse_taken(&cluster, &kinds, &objects, run).await?;
    apply(&cluster, &kinds, &objects, false).await?;
    mark::write(&cluster, run, &Mark { applied: true }).await?;
    Ok(format!("{} objects", objects.len()))
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    let what = match sketch.spec.document.spec.cluster_manifest {
        Some(_) => "applies the manifests as they are",
        None => "applies these objects, in the versions that the bootstrap cluster serves then",
    };
    let draft =
        StepPreview::says("waits until the providers are available and their webhooks answer");
    let notes = sketch.notes()?.into_iter().map(|note| format!("note: {note}"));
    let draft = notes.fold(draft.and(what), StepPreview::and);
    Ok(draft.applying(sketch.objects()?))
}
