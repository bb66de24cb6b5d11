//! Installing what the plugin plans and the user has chosen.

use std::path::Path;

use blueprint::{NetworkPlan, unknown_endpoint};
use cluster::Client;
use kubectl_pivot_plugin_api::{CniPlan, HelmChart};
use serde_json::{Map, Value, json};
use support::causes::in_one_line;
use support::redact::REDACTED;
use tools::KnownTool;

use super::choice::chosen;
use super::endpoint::endpoint;
use super::{addon, helm};
use crate::context::StepContext;
use crate::error::StepError;
use crate::outline::{DryRun, StepPreview};
use crate::support::apply::{apply_when_served, ensure_namespace};
use crate::support::images;
use crate::support::wait::{Poll, until};

pub(in crate::steps) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    let bootstrap = step_context.bootstrap().await?;
    let target = step_context.target().await?;
    let network = plan(step_context, &bootstrap, &target).await?;
    for note in &network.notes {
        step_context.events.note(note.clone());
    }
    images::load_into_target(step_context).await?;
    let plugin = network.plugin.clone();
    match chosen(step_context.spec(), network)? {
        None => Ok("none is needed".to_owned()),
        Some(CniPlan::Manifests { objects }) if objects.is_empty() => {
            Ok(format!("{plugin}: nothing to install"))
        }
        Some(CniPlan::Manifests { objects }) => {
            let what = "the manifests of the network are applied";
            apply_when_served(step_context, &target, &objects, what).await?;
            Ok(format!("{plugin}: {} objects", objects.len()))
        }
        Some(CniPlan::HelmChart(chart)) => {
            label_namespace(&target, &chart).await?;
            helm::install(step_context, &chart).await
        }
        Some(CniPlan::HelmChartProxy { chart, cluster_labels }) => {
            label_namespace(&target, &chart).await?;
            addon::install(step_context, &bootstrap, &chart, &cluster_labels).await
        }
        Some(_) => Err(blueprint::BlueprintError::UnknownPlan(plugin).into()),
    }
}

/// The plan, with the address of the API server if it needs that.
async fn plan(
    step_context: &StepContext<'_>,
    bootstrap: &Client,
    target: &Client,
) -> Result<NetworkPlan, StepError> {
    let objects = step_context.objects(bootstrap).await?.objects;
    until(step_context, "the Cluster has the address of its API server", async || {
        let endpoint = endpoint(step_context, bootstrap, target).await?;
        let is_known = endpoint.is_some();
        match step_context.blueprint().network(&objects, endpoint) {
            // With an address it was accepted when the run began.
            Err(error) if !is_known => Ok(Poll::Pending(in_one_line(&error))),
            planned => Ok(Poll::Ready(planned?)),
        }
    })
    .await
}

/// helm and the add-on provider create a namespace without labels.
async fn label_namespace(target: &Client, chart: &HelmChart) -> Result<(), StepError> {
    if chart.namespace_labels.is_empty() {
        return Ok(());
    }
    ensure_namespace(target, &chart.namespace, &json!(chart.namespace_labels)).await
}

/// The user's own values may be secrets, and an outline ends in logs.
fn without_values(mut plan: CniPlan, own: &Map<String, Value>) -> CniPlan {
    match &mut plan {
        CniPlan::HelmChart(chart) | CniPlan::HelmChartProxy { chart, .. } => {
            hide(&mut chart.values, own);
        }
        _ => {}
    }
    plan
}

fn hide(values: &mut Map<String, Value>, own: &Map<String, Value>) {
    for (name, given) in own {
        match (values.get_mut(name), given) {
            (Some(Value::Object(values)), Value::Object(own)) if !own.is_empty() => {
                hide(values, own);
            }
            (Some(value), _) => *value = json!(REDACTED),
            (None, _) => {}
        }
    }
}

pub(in crate::steps) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    let network = sketch.blueprint.network(&sketch.objects()?, Some(unknown_endpoint()))?;
    let plugin = network.plugin.clone();
    let own = sketch.spec.blueprint()?.cni_values;
    Ok(match chosen(sketch.spec, network)?.map(|plan| without_values(plan, &own)) {
        None => StepPreview::says("installs none: the infrastructure needs none"),
        Some(CniPlan::Manifests { objects }) if objects.is_empty() => {
            StepPreview::says(format!("{plugin}: installs nothing"))
        }
        Some(CniPlan::Manifests { objects }) => {
            StepPreview::says(format!("{plugin}: applies these objects")).applying(objects)
        }
        Some(CniPlan::HelmChart(chart)) => {
            let kubeconfig = Path::new("target.kubeconfig");
            let command = helm::upgrade(sketch.spec, &chart, Path::new(helm::VALUES), kubeconfig);
            StepPreview::says(format!("{plugin}: installs a chart with these values"))
                .running(KnownTool::Helm, &command)
                .applying([Value::Object(chart.values)])
        }
        Some(CniPlan::HelmChartProxy { chart, cluster_labels }) => {
            StepPreview::says(format!("{plugin}: has the Helm add-on provider install a chart"))
                .applying([addon::proxy(sketch.spec, &chart, &cluster_labels)])
        }
        Some(_) => return Err(blueprint::BlueprintError::UnknownPlan(plugin).into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_user_are_not_shown() {
        let chart = HelmChart {
            values: json!({"a": {"b": "s3cret", "c": 1}, "d": ["s3cret"]})
                .as_object()
                .cloned()
                .unwrap_or_default(),
            ..HelmChart::default()
        };
        let own = json!({"a": {"b": "s3cret"}, "d": ["s3cret"], "gone": 1});
        let own = own.as_object().expect("an object");
        let plan = without_values(CniPlan::HelmChart(chart), own);
        let CniPlan::HelmChart(chart) = plan else { panic!("{plan:?}") };
        let expected = json!({"a": {"b": REDACTED, "c": 1}, "d": REDACTED});
        assert_eq!(Value::Object(chart.values), expected);
    }
}
