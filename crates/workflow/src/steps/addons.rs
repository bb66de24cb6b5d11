//! Add-ons of the infrastructure plugin, in the target after its network: the cloud controller
//! manager, storage. One after the other, each awaited by its probes.

use std::path::Path;

use blueprint::unknown_endpoint;
use cluster::Client;
use kubectl_pivot_plugin_api::{Addon, AddonPlan, Addons, HelmChart};
use serde_json::Value;
use tools::{KnownTool, ToolError};

use super::network::{endpoint, helm};
use crate::context::StepContext;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{DryRun, StepPreview};
use crate::support::apply::{apply_when_served, ensure_namespace};
use crate::support::probes::{self, ProbeTargets};

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let bootstrap = step_context.bootstrap().await?;
    let target = step_context.target().await?;
    let objects = step_context.objects(&bootstrap).await?.objects;
    let address = endpoint(step_context, &bootstrap, &target).await?;
    let Addons { addons, notes, .. } = step_context.blueprint().addons(&objects, address)?;
    for note in notes {
        step_context.events.note(note);
    }
    let mut done = Vec::new();
    for addon in &addons {
        step_context.check()?;
        step_context.events.doing(format!("installing the add-on {}", addon.name));
        install(step_context, &target, addon).await?;
        let held = probes::hold_addon(step_context, addon, ProbeTargets::Target(&target)).await?;
        done.push(format!("{} ({})", addon.name, probes::words(held)));
    }
    Ok(if done.is_empty() { "there are none".to_owned() } else { done.join(", ") })
}

async fn install(
    step_context: &StepContext<'_>,
    target: &Client,
    addon: &Addon,
) -> Result<(), StepError> {
    match &addon.plan {
        AddonPlan::Manifests { objects } => {
            let what = format!("the objects of the add-on {} are applied", addon.name);
            apply_when_served(step_context, target, objects, &what).await
        }
        AddonPlan::HelmChart(chart) => {
            if !chart.namespace_labels.is_empty() {
                let labels = serde_json::json!(chart.namespace_labels);
                ensure_namespace(target, &chart.namespace, &labels).await?;
            }
            let installed = helm::ensure(step_context, chart, &values_file(addon)).await;
            installed.map(drop).map_err(|error| advised(addon, error))
        }
        _ => Err(unknown(step_context.blueprint().infrastructure_name(), addon)),
    }
}

/// Checks that the charts can be found, before anything is created.
pub(super) async fn find_charts(
    step_context: &StepContext<'_>,
    objects: &[Value],
) -> Result<(), StepError> {
    if step_context.folder().state()?.of(Step::Addons).is_done() {
        return Ok(());
    }
    let Addons { addons, .. } =
        step_context.blueprint().addons(objects, Some(unknown_endpoint()))?;
    for (addon, chart) in addons.iter().filter_map(chart_of) {
        let helm = step_context.tool(KnownTool::Helm).await?;
        let shown = step_context.run(&helm, helm::show_chart(chart)).await;
        shown.map(drop).map_err(|error| advised(addon, error))?;
    }
    Ok(())
}

/// Returns true if helm installs one of them.
pub(super) fn need_helm(addons: &Addons) -> bool {
    addons.addons.iter().any(|addon| chart_of(addon).is_some())
}

fn chart_of(addon: &Addon) -> Option<(&Addon, &HelmChart)> {
    match &addon.plan {
        AddonPlan::HelmChart(chart) => Some((addon, chart)),
        _ => None,
    }
}

fn values_file(addon: &Addon) -> String {
    format!("addon-{}-values.yaml", addon.name)
}

/// The words of helm, and the way round.
fn advised(addon: &Addon, error: StepError) -> StepError {
    if error.is_interruption() {
        return error;
    }
    let StepError::Tool(ToolError::Failed(failure)) = error else { return error };
    let name = &addon.name;
    StepError::refused(
        format!("the add-on {name}: {failure}"),
        "its chart has to be reachable from here, in the version that the plugin names; \
         variables of the plugin \
         may leave the add-on out (`kubectl pivot plugin info NAME`)",
    )
}

fn unknown(plugin: &str, addon: &Addon) -> StepError {
    let (plugin, addon) = (plugin.to_owned(), addon.name.clone());
    blueprint::BlueprintError::UnknownAddon { plugin, addon }.into()
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    let answer = sketch.blueprint.addons(&sketch.objects()?, Some(unknown_endpoint()))?;
    if answer.addons.is_empty() {
        return Ok(StepPreview::says("installs none: the infrastructure plugin has none"));
    }
    let mut draft = StepPreview::default();
    for note in answer.notes {
        draft = draft.and(format!("note: {note}"));
    }
    for addon in answer.addons {
        let name = addon.name.clone();
        draft = match addon.plan {
            AddonPlan::Manifests { objects } => {
                draft.and(format!("{name}: applies objects")).applying(objects)
            }
            AddonPlan::HelmChart(chart) => {
                let (values, kubeconfig) =
                    (format!("addon-{name}-values.yaml"), "target.kubeconfig");
                let command =
                    helm::upgrade(sketch.spec, &chart, Path::new(&values), Path::new(kubeconfig));
                draft
                    .and(format!("{name}: installs a chart with these values"))
                    .running(KnownTool::Helm, &command)
                    .applying([Value::Object(chart.values)])
            }
            _ => return Err(unknown(sketch.blueprint.infrastructure_name(), &addon)),
        };
    }
    Ok(draft)
}
