//! The chart of a network by the Helm add-on provider of the bootstrap cluster.
//!
//! A HelmChartProxy names the chart and selects Clusters; the provider makes a HelmReleaseProxy for
//! each and reports there. What the proxy reports is not enough: without releases it is Ready, so
//! it is also before it has seen the label of the Cluster.

use std::collections::BTreeMap;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use kubectl_pivot_plugin_api::HelmChart;
use serde_json::{Value, json};
use support::causes::in_one_line;

use crate::context::StepContext;
use crate::error::StepError;
use crate::spec::Spec;
use crate::steps::control_plane::the_cluster;
use crate::support::apply::{Kinds, MANAGER, apply};
use crate::support::moved::moved_away;
use crate::support::wait::{Poll, until};

const API_VERSION: &str = "addons.cluster.x-k8s.io/v1alpha1";
/// The label of a HelmReleaseProxy with the name of its HelmChartProxy.
const OF_PROXY: &str = "helmreleaseproxy.addons.cluster.x-k8s.io/helmchartproxy-name";

fn proxy_name(spec: &Spec) -> String {
    format!("{}-cni", spec.name)
}

pub(super) fn proxy(spec: &Spec, chart: &HelmChart, labels: &BTreeMap<String, String>) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": "HelmChartProxy",
        "metadata": {"name": proxy_name(spec), "namespace": spec.namespace},
        "spec": {
            "clusterSelector": {"matchLabels": labels},
            "repoURL": chart.repo,
            "chartName": chart.chart,
            "version": chart.version,
            "namespace": chart.namespace,
            "releaseName": chart.release,
            "valuesTemplate": template(&Value::Object(chart.values.clone())),
        },
    })
}

/// Values as text that the provider's templates leave as it is.
fn template(values: &Value) -> String {
    support::yaml::document(values).replace("{{", r#"{{"{{"}}"#)
}

/// Has the provider install the chart, and waits for it.
pub(super) async fn install(
    step_context: &StepContext<'_>,
    bootstrap: &Client,
    chart: &HelmChart,
    labels: &BTreeMap<String, String>,
) -> Result<String, StepError> {
    let proxy = proxy(step_context.spec(), chart, labels);
    let kinds = Kinds::read(bootstrap).await?;
    if kinds.of(&proxy).is_none() {
        return Err(StepError::refused(
            "the bootstrap cluster does not serve HelmChartProxy",
            "initialise the Helm add-on provider (`clusterctl init --addon helm`), or leave \
             --cni-via out",
        ));
    }
    let (Some(cluster), None) =
        (the_cluster(step_context, bootstrap).await?, moved_away(step_context, bootstrap).await?)
    else {
        return Ok("the cluster has moved already".to_owned());
    };
    select(bootstrap, &cluster, labels).await?;
    until(step_context, "the HelmChartProxy of the network is accepted", async || {
        match apply(bootstrap, &kinds, std::slice::from_ref(&proxy), false).await {
            Ok(()) => Ok(Poll::Ready(())),
            // The provider's own webhook may come up last.
            Err(StepError::Api(error)) if error.code() == Some(500) => {
                Ok(Poll::Pending(in_one_line(&error)))
            }
            Err(error) => Err(error),
        }
    })
    .await?;
    until(step_context, "the Helm add-on provider has installed the network", async || {
        look(bootstrap, &kinds, step_context.spec()).await
    })
    .await?;
    Ok(format!("{} {} by the Helm add-on provider", chart.chart, chart.version))
}

/// Gives the Cluster the labels by which the proxy finds it.
async fn select(
    bootstrap: &Client,
    cluster: &Object,
    labels: &BTreeMap<String, String>,
) -> Result<(), StepError> {
    let clusters = ResourceType::new(cluster.api_version(), "Cluster", "clusters", true);
    let patch = json!({"metadata": {"uid": cluster.uid(), "labels": labels}});
    let name = (cluster.namespace(), cluster.name());
    let options = WriteOptions::manager(MANAGER);
    bootstrap.patch(&clusters, name, (PatchKind::Merge, &patch), &options).await?;
    Ok(())
}

async fn look(bootstrap: &Client, kinds: &Kinds, spec: &Spec) -> Result<Poll<()>, StepError> {
    let kind = |kind: &str| kinds.of(&json!({"apiVersion": API_VERSION, "kind": kind}));
    let (Some(proxies), Some(releases)) = (kind("HelmChartProxy"), kind("HelmReleaseProxy")) else {
        return Ok(Poll::Pending(
            "the bootstrap cluster does not serve HelmReleaseProxy".to_owned(),
        ));
    };
    let (namespace, name) = (Some(spec.namespace.as_str()), proxy_name(spec));
    let Some(proxy) = bootstrap.get(&proxies, namespace, &name).await? else {
        return Ok(Poll::Pending(format!("HelmChartProxy {}/{name} is not there", spec.namespace)));
    };
    let selector = format!("{OF_PROXY}={name}");
    let releases = bootstrap.list_selected(&releases, namespace, &selector).await?;
    let release =
        releases.iter().find(|release| release.value()["spec"]["clusterRef"]["name"] == spec.name);
    Ok(match release {
        None => Poll::Pending(unready(&proxy).unwrap_or_else(|| {
            format!("{}: there is no HelmReleaseProxy for the cluster yet", proxy.id())
        })),
        Some(release) => match unready(release).or_else(|| unready(&proxy)) {
            None => Poll::Ready(()),
            Some(last) => Poll::Pending(last),
        },
    })
}

/// Returns the part of an object that is not ready, or not up to date.
fn unready(object: &Object) -> Option<String> {
    let value = object.value();
    let status = &value["status"];
    let id = object.id();
    let generation = value["metadata"]["generation"].as_u64();
    if status["observedGeneration"].as_u64() < generation {
        return Some(format!("{id}: the provider has not seen it yet"));
    }
    let Some(ready) = object.condition("Ready") else {
        return Some(format!("{id} has no condition Ready yet"));
    };
    if ready.is_true() {
        return None;
    }
    let (status, reason, message) = (ready.status(), ready.reason(), ready.message());
    Some(format!("{id}: Ready is {status} ({reason}) {message}").trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(status: Value) -> Object {
        Object::new(json!({"apiVersion": API_VERSION, "kind": "HelmReleaseProxy",
            "metadata": {"name": "r", "namespace": "default", "generation": 2}, "status": status}))
    }

    #[test]
    fn templates_leave_values_as_they_are() {
        let text = template(&json!({"format": "{{ .Name }}"}));
        assert!(text.contains(r#"{{"{{"}} .Name }}"#), "{text}");
        let plain = template(&json!({"a": {"b": 1}}));
        assert_eq!(plain, support::yaml::document(&json!({"a": {"b": 1}})));
    }

    #[test]
    fn an_unready_release_is_reported_in_the_provider_s_words() {
        let condition = |kind: &str, status: &str, message: &str| {
            json!({"type": kind, "status": status, "reason": "Because",
            "message": message})
        };
        let is = |status: Value| unready(&release(status));
        assert!(is(json!({})).is_some_and(|text| text.ends_with("has not seen it yet")));
        let old = json!({"observedGeneration": 1, "conditions": [condition("Ready", "True", "")]});
        assert!(is(old).is_some_and(|text| text.ends_with("has not seen it yet")));
        let new = json!({"observedGeneration": 2});
        assert!(is(new).is_some_and(|text| text.ends_with("no condition Ready yet")));
        let ready =
            json!({"observedGeneration": 2, "conditions": [condition("Ready", "True", "")]});
        assert_eq!(is(ready), None);
        // The summary has the words of what it sums up.
        let words = "* HelmReleaseReady: chart\nnot found";
        let failed =
            json!({"observedGeneration": 2, "conditions": [condition("Ready", "False", words)]});
        let text = is(failed).expect("not ready");
        assert!(
            text.ends_with("Ready is False (Because) * HelmReleaseReady: chart not found"),
            "{text}"
        );
    }
}
