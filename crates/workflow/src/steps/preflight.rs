//! Everything that can be known before the first change: programs, credentials, manifests.

use std::time::Duration;

use blueprint::{Blueprint, control_plane_with_kube_proxy, unknown_endpoint};
use kubectl_pivot_plugin_api::{Addons, BootstrapRequirements, CniPlan, Credential, HelmChart};
use serde_json::Value;
use support::journal::Events;
use tools::{KnownTool, ToolCommand, ToolError};

use super::network::{chosen, find_chart, show_chart};
use super::{addons, bootstrap, merge_kubeconfig};
use crate::context::StepContext;
use crate::document::Bootstrap;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{DryRun, StepPreview};
use crate::spec::Spec;
use crate::support::{images, limits, probes};

/// Limit of a plugin's check.
const TOOL_CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// The programs that a run needs.
fn programs(spec: &Spec, plan: Option<&CniPlan>, addons: &Addons) -> Vec<KnownTool> {
    let mut programs = vec![KnownTool::Clusterctl];
    if spec.bootstrap == Bootstrap::Kind {
        programs.push(KnownTool::Kind);
    }
    if matches!(plan, Some(CniPlan::HelmChart(_))) || addons::need_helm(addons) {
        programs.push(KnownTool::Helm);
    }
    programs.sort();
    programs
}

pub(super) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    merge_kubeconfig::check(step_context).await?;
    let objects = step_context.draft()?;
    refuse_nowhere_to_run(&objects)?;
    let plan = plan(step_context.spec(), step_context.blueprint(), &objects)?;
    let addons = step_context.blueprint().addons(&objects, Some(unknown_endpoint()))?;
    check_plugins(step_context.spec(), step_context.blueprint(), (&objects, &step_context.events))
        .await?;
    let mut found = Vec::new();
    for program in programs(step_context.spec(), plan.as_ref(), &addons) {
        let tool = step_context.tool(program).await?;
        found.push(format!("{program} {}", tool.version));
    }
    if let Some(CniPlan::HelmChart(chart)) = &plan {
        check_chart(step_context, chart).await?;
    }
    addons::find_charts(step_context, &objects).await?;
    let requirements = step_context.blueprint().bootstrap()?;
    images::check(step_context.spec())?;
    for doubt in step_context.doubts() {
        step_context.events.warning(doubt.clone());
    }
    if step_context.spec().bootstrap == Bootstrap::Kind {
        bootstrap::config(step_context.spec(), step_context.blueprint())?;
        refuse_taken_name(step_context, &requirements).await?;
        for tool in &requirements.tools {
            check(step_context, tool).await?;
        }
    } else {
        let bootstrap = step_context.bootstrap().await?;
        bootstrap.get_path("/version").await?;
        limits::check_cluster_api(step_context.blueprint(), &bootstrap).await?;
    }
    Ok(found.join(", "))
}

/// Everything about plugins that no cluster is needed for, in a dry-run too: expressions of probes,
/// and all credentials that are missing.
pub(crate) async fn check_plugins(
    spec: &Spec,
    blueprint: &Blueprint,
    (objects, events): (&[Value], &Events),
) -> Result<(), StepError> {
    probes::compile(spec, blueprint, (objects, events)).await?;
    let requirements = blueprint.bootstrap()?;
    let is_absent = |credential: &&Credential| {
        credential.required
            && std::env::var_os(&credential.env).is_none_or(|value| value.is_empty())
    };
    let absent: Vec<_> = requirements.credentials.iter().filter(is_absent).collect();
    let names: Vec<_> = absent.iter().map(|credential| credential.env.as_str()).collect();
    match absent.as_slice() {
        [] => Ok(()),
        [credential] => {
            let what = format!("the environment variable {} is not set", credential.env);
            Err(StepError::refused(what, credential.description.clone()))
        }
        absent => {
            let each =
                absent.iter().map(|absent| format!("{}: {}", absent.env, absent.description));
            let what = format!("the environment variables {} are not set", names.join(", "));
            Err(StepError::refused(what, each.collect::<Vec<_>>().join("; ")))
        }
    }
}

/// kubeadm keeps pods off the control plane, so without workers the providers of the target would
/// never run.
fn refuse_nowhere_to_run(objects: &[Value]) -> Result<(), StepError> {
    let of_kind = |kind: &'static str| objects.iter().filter(move |o| o["kind"] == kind);
    let has_topology = of_kind("Cluster").any(|cluster| !cluster["spec"]["topology"].is_null());
    let is_workers = |object: &&Value| {
        let spec = &object["spec"];
        // A kind that nobody serves is for the API server to name.
        let is_like_them = spec["clusterName"].is_string() && !spec["template"].is_null();
        matches!(object["kind"].as_str(), Some("MachineDeployment" | "MachinePool")) || is_like_them
    };
    let mut workers = objects.iter().filter(is_workers);
    let has_workers = workers.any(|workers| workers["spec"]["replicas"] != 0);
    let is_tainted = of_kind("KubeadmControlPlane").any(|control_plane| {
        let configuration = &control_plane["spec"]["kubeadmConfigSpec"];
        configuration["initConfiguration"]["nodeRegistration"]["taints"].is_null()
    });
    if has_topology || has_workers || !is_tainted {
        return Ok(());
    }
    Err(StepError::refused(
        "the cluster has no workers, and its control plane takes no pods: the providers would \
         never run in it",
        "use --worker-replicas 1 or more, or give manifests whose KubeadmControlPlane has `taints: \
         []`",
    ))
}

/// The Docker provider labels the containers of a cluster as kind does, so a kind cluster of the
/// same name, or what is left of one, would be taken for machines of the target.
async fn refuse_taken_name(
    step_context: &StepContext<'_>,
    requirements: &BootstrapRequirements,
) -> Result<(), StepError> {
    let has_containers = requirements.tools.iter().any(|t| t.name == KnownTool::Docker.name());
    if !has_containers || step_context.folder().state()?.may_have_applied() {
        return Ok(());
    }
    let (name, bootstrap) = (&step_context.spec().name, &step_context.spec().bootstrap_name);
    if name == bootstrap {
        return Err(StepError::refused(
            format!("the bootstrap cluster and the cluster have the same name, `{name}`"),
            "choose another name with --bootstrap-name",
        ));
    }
    if !step_context.kind().await?.has(name).await? {
        return Ok(());
    }
    Err(StepError::refused(
        format!(
            "there are containers of a kind cluster `{name}`, which is the name of the new cluster"
        ),
        format!("choose another name, or remove them with `kind delete cluster --name {name}`"),
    ))
}

/// The network as it will be installed, but for the address of the API server; what no run could
/// come to an end with is refused.
fn plan(
    spec: &Spec,
    blueprint: &Blueprint,
    objects: &[Value],
) -> Result<Option<CniPlan>, StepError> {
    limits::check(spec, blueprint, objects)?;
    let network = blueprint.network(objects, Some(unknown_endpoint()))?;
    if network.replaces_kube_proxy {
        refuse_kube_proxy(&network.plugin, objects)?;
    }
    chosen(spec, network)
}

/// Manifests of plugins leave kube-proxy out where a network does its work; those of the user may
/// not.
fn refuse_kube_proxy(network: &str, objects: &[Value]) -> Result<(), StepError> {
    let Some(control_plane) = control_plane_with_kube_proxy(objects) else { return Ok(()) };
    Err(StepError::refused(
        format!("the network of {network} replaces kube-proxy, and {control_plane} installs it"),
        "add `addon/kube-proxy` to `spec.kubeadmConfigSpec.initConfiguration.skipPhases` of the \
         manifest",
    ))
}

/// A missing chart is better reported now than when the cluster is there. What has been installed
/// is not looked for again: its repository may be out of reach by now.
async fn check_chart(step_context: &StepContext<'_>, chart: &HelmChart) -> Result<(), StepError> {
    if step_context.folder().state()?.of(Step::Network).is_done() {
        return Ok(());
    }
    find_chart(step_context, chart).await
}

/// A program that the plugin wants, with the arguments with which it must succeed.
async fn check(
    step_context: &StepContext<'_>,
    wanted: &kubectl_pivot_plugin_api::Tool,
) -> Result<(), StepError> {
    let known = KnownTool::ALL.into_iter().find(|known| known.name() == wanted.name);
    let Some(known) = known else {
        step_context.events.warning(format!(
            "the plugin needs the program {}, which is not checked: it has to {}",
            wanted.name, wanted.purpose
        ));
        return Ok(());
    };
    let tool = step_context.tool(known).await?;
    if wanted.check.is_empty() {
        return Ok(());
    }
    let command = ToolCommand::new(&wanted.check).within(TOOL_CHECK_TIMEOUT);
    match step_context.run(&tool, command).await {
        Err(StepError::Tool(ToolError::Failed(failure))) if !wanted.hint.is_empty() => {
            Err(StepError::refused(failure.to_string(), wanted.hint.clone()))
        }
        other => other.map(drop),
    }
}

pub(super) fn sketch(sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    let objects = sketch.objects()?;
    refuse_nowhere_to_run(&objects)?;
    let plan = plan(sketch.spec, sketch.blueprint, &objects)?;
    let addons = sketch.blueprint.addons(&objects, Some(unknown_endpoint()))?;
    let programs = programs(sketch.spec, plan.as_ref(), &addons);
    let names: Vec<_> = programs.iter().map(|tool| tool.name()).collect();
    let mut draft = StepPreview::says(format!("looks for {} and their versions", names.join(", ")));
    if let Some(CniPlan::HelmChart(chart)) = &plan {
        draft = draft.running(KnownTool::Helm, &show_chart(chart));
    }
    let probes = probes::listed(sketch.blueprint, &objects)?;
    if !probes.is_empty() {
        draft = draft.and(format!("compiles the probes {}", probes.join(", ")));
    }
    for tool in sketch.blueprint.bootstrap()?.tools {
        draft.runs.push([vec![tool.name], tool.check].concat().join(" "));
    }
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cluster_needs_a_node_for_the_providers() {
        let workers =
            |replicas: Value| json!({"kind": "MachineDeployment", "spec": {"replicas": replicas}});
        let control_plane = |taints: Value| {
            json!({"kind": "KubeadmControlPlane", "spec": {"kubeadmConfigSpec": {
                "initConfiguration": {"nodeRegistration": {"taints": taints}}}}})
        };
        let usual = || control_plane(Value::Null);
        assert!(refuse_nowhere_to_run(&[usual(), workers(json!(0))]).is_err());
        assert!(refuse_nowhere_to_run(&[usual()]).is_err());
        assert!(refuse_nowhere_to_run(&[usual(), workers(json!(1))]).is_ok());
        assert!(refuse_nowhere_to_run(&[usual(), workers(Value::Null)]).is_ok());
        let misspelt =
            json!({"kind": "MachineDeploymnt", "spec": {"clusterName": "a", "template": {}}});
        assert!(refuse_nowhere_to_run(&[usual(), misspelt]).is_ok());
        assert!(refuse_nowhere_to_run(&[control_plane(json!([])), workers(json!(0))]).is_ok());
        let topology = json!({"kind": "Cluster", "spec": {"topology": {"class": "a"}}});
        assert!(refuse_nowhere_to_run(&[topology, usual()]).is_ok());
        assert!(refuse_nowhere_to_run(&[json!({"kind": "K0sControlPlane"})]).is_ok());
    }
}
