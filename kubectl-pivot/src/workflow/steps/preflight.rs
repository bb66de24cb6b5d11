//! Everything that can be known before the first change: programs, credentials, manifests.

use std::time::Duration;

use kubectl_pivot_plugin_api::{CniPlan, HelmChart};
use serde_json::Value;

use super::merge_kubeconfig;
use super::network::{chosen, find_chart, show_chart, unknown_endpoint};
use crate::blueprint::Blueprint;
use crate::tools::{KnownTool, ToolCommand, ToolError};
use crate::workflow::context::Turn;
use crate::workflow::document::Bootstrap;
use crate::workflow::error::StepError;
use crate::workflow::order::Step;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::spec::Spec;
use crate::workflow::support::probes;

/// Limit of a plugin's check.
const CHECK: Duration = Duration::from_secs(30);

/// The programs that a run needs.
fn programs(spec: &Spec, plan: Option<&CniPlan>) -> Vec<KnownTool> {
    let mut programs = vec![KnownTool::Clusterctl];
    if spec.bootstrap == Bootstrap::Kind {
        programs.push(KnownTool::Kind);
    }
    if matches!(plan, Some(CniPlan::HelmChart(_))) {
        programs.push(KnownTool::Helm);
    }
    programs.sort();
    programs
}

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    merge_kubeconfig::check(turn).await?;
    let plan = plan(turn.spec(), turn.blueprint(), &turn.draft()?)?;
    probes::compile(turn).await?;
    let mut found = Vec::new();
    for program in programs(turn.spec(), plan.as_ref()) {
        let tool = turn.tool(program).await?;
        found.push(format!("{program} {}", tool.version));
    }
    if let Some(CniPlan::HelmChart(chart)) = &plan {
        check_chart(turn, chart).await?;
    }
    let requirements = turn.blueprint().bootstrap()?;
    for credential in requirements.credentials.iter().filter(|credential| credential.required) {
        if std::env::var_os(&credential.env).is_none_or(|value| value.is_empty()) {
            let what = format!("the environment variable {} is not set", credential.env);
            return Err(StepError::refused(what, credential.description.clone()));
        }
    }
    if turn.spec().bootstrap == Bootstrap::Kind {
        for tool in &requirements.tools {
            check(turn, tool).await?;
        }
    } else {
        turn.bootstrap().await?.get_path("/version").await?;
    }
    Ok(found.join(", "))
}

/// The network as it will be installed, but for the address of the API server.
fn plan(
    spec: &Spec,
    blueprint: &Blueprint,
    objects: &[Value],
) -> Result<Option<CniPlan>, StepError> {
    chosen(spec, blueprint.network(objects, Some(unknown_endpoint()))?)
}

/// A chart that is nowhere is better told now than when the cluster is there. What has been installed
/// is not looked for again: its repository may be out of reach by now.
async fn check_chart(turn: &Turn<'_>, chart: &HelmChart) -> Result<(), StepError> {
    if turn.folder().state()?.of(Step::Network).is_done() {
        return Ok(());
    }
    find_chart(turn, chart).await
}

/// A program that the plugin wants, with the arguments with which it must succeed.
async fn check(turn: &Turn<'_>, wanted: &kubectl_pivot_plugin_api::Tool) -> Result<(), StepError> {
    let known = KnownTool::ALL.into_iter().find(|known| known.name() == wanted.name);
    let Some(known) = known else {
        turn.events.warning(format!(
            "the plugin needs the program {}, which is not checked: it has to {}",
            wanted.name, wanted.purpose
        ));
        return Ok(());
    };
    let tool = turn.tool(known).await?;
    if wanted.check.is_empty() {
        return Ok(());
    }
    let command = ToolCommand::new(&wanted.check).within(CHECK);
    match turn.run(&tool, command).await {
        Err(StepError::Tool(ToolError::Failed(failure))) if !wanted.hint.is_empty() => {
            Err(StepError::refused(failure.to_string(), wanted.hint.clone()))
        }
        other => other.map(drop),
    }
}

pub(super) fn sketch(sketch: &Sketch<'_>) -> Result<Draft, StepError> {
    let plan = plan(sketch.spec, sketch.blueprint, &sketch.objects()?)?;
    let names: Vec<_> =
        programs(sketch.spec, plan.as_ref()).iter().map(|tool| tool.name()).collect();
    let mut draft = Draft::says(format!("looks for {} and their versions", names.join(", ")));
    if let Some(CniPlan::HelmChart(chart)) = &plan {
        draft = draft.running(KnownTool::Helm, &show_chart(chart));
    }
    for tool in sketch.blueprint.bootstrap()?.tools {
        draft.runs.push([vec![tool.name], tool.check].concat().join(" "));
    }
    Ok(draft)
}
