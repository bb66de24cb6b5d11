//! The network of the target: by helm, by manifests, or by the Helm add-on provider.

use std::collections::BTreeMap;
use std::path::Path;

use kubectl_pivot_plugin_api::{CniPlan, Endpoint, HelmChart};
use serde_json::{Value, json};

use crate::capi::ResourceType;
use crate::cluster::{Client, PatchKind, WriteOptions};
use crate::tools::{KnownTool, ToolCommand};
use crate::workflow::context::Turn;
use crate::workflow::document::CniVia;
use crate::workflow::error::StepError;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::spec::Spec;
use crate::workflow::support::apply::{Kinds, MANAGER, apply, ensure_namespace};
use crate::workflow::support::wait::{Seen, until};

/// Values of the chart in the folder of the run.
const VALUES: &str = "cni-values.yaml";
/// The label by which a HelmChartProxy finds the Cluster.
const LABEL: &str = "kubectl-pivot.io/cni";

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    let bootstrap = turn.bootstrap().await?;
    let objects = turn.objects(&bootstrap).await?.objects;
    let target = turn.target().await?;
    let network = turn.blueprint().network(&objects, endpoint(&target))?;
    for note in network.notes {
        turn.events.note(note);
    }
    let plugin = network.plugin;
    match network.plan.map(|plan| via(turn.spec(), plan, &plugin)) {
        None => Ok("none is needed".to_owned()),
        Some(CniPlan::Manifests { objects }) if objects.is_empty() => {
            Ok(format!("{plugin}: nothing to install"))
        }
        Some(CniPlan::Manifests { objects }) => {
            // Kinds that the manifests themselves bring are served a moment later.
            until(turn, "the manifests of the network are applied", async || {
                let kinds = Kinds::read(&target).await?;
                match apply(&target, &kinds, &objects, false).await {
                    Ok(()) => Ok(Seen::Yes(())),
                    Err(StepError::Refused { what, .. }) => Ok(Seen::NotYet(what)),
                    Err(error) => Err(error),
                }
            })
            .await?;
            Ok(format!("{plugin}: {} objects", objects.len()))
        }
        Some(CniPlan::HelmChart(chart)) => helm(turn, &target, &chart).await,
        Some(CniPlan::HelmChartProxy { chart, cluster_labels }) => {
            addon(turn, &bootstrap, &chart, &cluster_labels).await
        }
        Some(_) => Err(crate::blueprint::BlueprintError::UnknownPlan(plugin).into()),
    }
}

/// A chart becomes a HelmChartProxy with `--cni-via addon`.
fn via(spec: &Spec, plan: CniPlan, plugin: &str) -> CniPlan {
    match plan {
        CniPlan::HelmChart(chart) if spec.cni_via() == CniVia::Addon => CniPlan::HelmChartProxy {
            chart,
            cluster_labels: BTreeMap::from([(LABEL.to_owned(), plugin.to_owned())]),
        },
        plan => plan,
    }
}

fn endpoint(target: &Client) -> Option<Endpoint> {
    let uri: http::Uri = target.server().parse().ok()?;
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    Some(Endpoint { host, port: uri.port_u16().unwrap_or(443) })
}

async fn helm(turn: &Turn<'_>, target: &Client, chart: &HelmChart) -> Result<String, StepError> {
    if !chart.namespace_labels.is_empty() {
        ensure_namespace(target, &chart.namespace, &json!(chart.namespace_labels)).await?;
    }
    let helm = turn.tool(KnownTool::Helm).await?;
    let values = turn.folder().write_yaml(VALUES, &Value::Object(chart.values.clone()))?;
    turn.run(&helm, command(turn.spec(), chart, &values, &turn.target_kubeconfig())).await?;
    Ok(format!("{} {}", chart.chart, chart.version))
}

fn command(spec: &Spec, chart: &HelmChart, values: &Path, kubeconfig: &Path) -> ToolCommand {
    let mut command = ToolCommand::new(["upgrade", "--install", &chart.release, &chart.chart])
        .flag("--namespace", &chart.namespace)
        .arg("--create-namespace")
        .flag("--kubeconfig", kubeconfig)
        .flag("--values", values)
        .within(spec.timeout);
    if !chart.repo.is_empty() {
        command = command.flag("--repo", &chart.repo);
    }
    if !chart.version.is_empty() {
        command = command.flag("--version", &chart.version);
    }
    command
}

fn proxy(spec: &Spec, chart: &HelmChart, labels: &BTreeMap<String, String>) -> Value {
    let values = crate::yaml::document(&Value::Object(chart.values.clone()));
    json!({
        "apiVersion": "addons.cluster.x-k8s.io/v1alpha1",
        "kind": "HelmChartProxy",
        "metadata": {"name": format!("{}-cni", spec.name), "namespace": spec.namespace},
        "spec": {
            "clusterSelector": {"matchLabels": labels},
            "repoURL": chart.repo,
            "chartName": chart.chart,
            "version": chart.version,
            "namespace": chart.namespace,
            "releaseName": chart.release,
            "valuesTemplate": values,
        },
    })
}

/// The add-on provider of the bootstrap cluster installs the chart.
async fn addon(
    turn: &Turn<'_>,
    bootstrap: &Client,
    chart: &HelmChart,
    labels: &BTreeMap<String, String>,
) -> Result<String, StepError> {
    let proxy = proxy(turn.spec(), chart, labels);
    let kinds = Kinds::read(bootstrap).await?;
    let Some(kind) = kinds.of(&proxy) else {
        return Err(StepError::refused(
            "the bootstrap cluster does not serve HelmChartProxy",
            "initialise the Helm add-on provider (with the plugin docker: --set helm-addon=true), or \
             leave --cni-via out",
        ));
    };
    let (namespace, name) = (turn.spec().namespace.as_str(), turn.spec().name.as_str());
    let cluster = super::control_plane::the_cluster(turn, bootstrap).await?;
    let Some(cluster) = cluster else {
        return Ok("the cluster has moved already".to_owned());
    };
    let clusters = ResourceType::new(cluster.api_version(), "Cluster", "clusters", true);
    let patch = json!({"metadata": {"uid": cluster.uid(), "labels": labels}});
    let options = WriteOptions::manager(MANAGER);
    bootstrap
        .patch(&clusters, (Some(namespace), name), (PatchKind::Merge, &patch), &options)
        .await?;
    apply(bootstrap, &kinds, std::slice::from_ref(&proxy), false).await?;
    let proxy_name = format!("{name}-cni");
    until(turn, "the add-on provider has installed the network", async || {
        let found = bootstrap.get(&kind, Some(namespace), &proxy_name).await?;
        let status = found.map(|object| object.value()["status"].clone()).unwrap_or_default();
        let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
        Ok(match ready {
            Some(ready) if ready["status"] == "True" => Seen::Yes(()),
            Some(ready) => Seen::NotYet(format!(
                "HelmChartProxy {namespace}/{proxy_name} is not Ready: {}",
                ready["message"].as_str().unwrap_or_default()
            )),
            None => Seen::NotYet(format!(
                "HelmChartProxy {namespace}/{proxy_name} has no condition Ready yet"
            )),
        })
    })
    .await?;
    Ok(format!("{} {} by the Helm add-on provider", chart.chart, chart.version))
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Result<Draft, StepError> {
    let network = sketch.blueprint.network(&sketch.objects()?, None)?;
    let plugin = network.plugin;
    Ok(match network.plan.map(|plan| via(sketch.spec, plan, &plugin)) {
        None => Draft::says("installs none: the infrastructure needs none"),
        Some(CniPlan::Manifests { objects }) if objects.is_empty() => {
            Draft::says(format!("{plugin}: installs nothing"))
        }
        Some(CniPlan::Manifests { objects }) => {
            Draft::says(format!("{plugin}: applies these objects")).applying(objects)
        }
        Some(CniPlan::HelmChart(chart)) => {
            let (values, kubeconfig) = (Path::new(VALUES), Path::new("target.kubeconfig"));
            let command = command(sketch.spec, &chart, values, kubeconfig);
            Draft::says(format!("{plugin}: installs a chart with these values"))
                .running(KnownTool::Helm, &command)
                .applying([Value::Object(chart.values)])
        }
        Some(CniPlan::HelmChartProxy { chart, cluster_labels }) => {
            Draft::says(format!("{plugin}: has the Helm add-on provider install a chart"))
                .applying([proxy(sketch.spec, &chart, &cluster_labels)])
        }
        Some(_) => return Err(crate::blueprint::BlueprintError::UnknownPlan(plugin).into()),
    })
}
