//! Everything that can be known before the first change: programs, credentials, manifests.

use std::time::Duration;

use kubectl_pivot_plugin_api::CniPlan;

use super::merge_kubeconfig;
use crate::tools::{KnownTool, ToolCommand, ToolError};
use crate::workflow::context::Turn;
use crate::workflow::document::{Bootstrap, CniVia};
use crate::workflow::error::StepError;
use crate::workflow::outline::{Draft, Sketch};
use crate::workflow::spec::Spec;
use crate::workflow::support::probes;

/// How long a check of a plugin may take.
const CHECK: Duration = Duration::from_secs(30);

/// The programs that a run needs.
fn programs(spec: &Spec, plan: Option<&CniPlan>) -> Vec<KnownTool> {
    let mut programs = vec![KnownTool::Clusterctl];
    if spec.bootstrap == Bootstrap::Kind {
        programs.push(KnownTool::Kind);
    }
    if matches!(plan, Some(CniPlan::HelmChart(_))) && spec.cni_via() == CniVia::Helm {
        programs.push(KnownTool::Helm);
    }
    programs.sort();
    programs
}

pub(super) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    merge_kubeconfig::check(turn).await?;
    let plan = turn.blueprint().network(&turn.draft()?, None)?.plan;
    probes::compile(turn).await?;
    let mut found = Vec::new();
    for program in programs(turn.spec(), plan.as_ref()) {
        let tool = turn.tool(program).await?;
        found.push(format!("{program} {}", tool.version));
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

/// A program that the plugin wants, with the arguments with which it must succeed.
async fn check(turn: &Turn<'_>, wanted: &kubectl_pivot_plugin_api::Tool) -> Result<(), StepError> {
    let known = KnownTool::ALL.into_iter().find(|known| known.name() == wanted.name);
    let Some(known) = known else {
        turn.events.warning(format!(
            "the plugin wants the program {}, which is not checked: it is to {}",
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
    let plan = sketch.blueprint.network(&sketch.objects()?, None)?.plan;
    let names: Vec<_> =
        programs(sketch.spec, plan.as_ref()).iter().map(|tool| tool.name()).collect();
    let mut draft = Draft::says(format!("looks for {} and their versions", names.join(", ")));
    for tool in sketch.blueprint.bootstrap()?.tools {
        draft.runs.push([vec![tool.name], tool.check].concat().join(" "));
    }
    Ok(draft)
}
