//! The chart of a network by the program helm.

use std::path::Path;
use std::time::Duration;

use kubectl_pivot_plugin_api::HelmChart;
use serde_json::Value;

use super::release::{self, Release};
use crate::tools::{KnownTool, ToolCommand, ToolError};
use crate::workflow::context::Turn;
use crate::workflow::error::StepError;
use crate::workflow::spec::Spec;

/// Values of the chart in the folder of the run.
pub(super) const VALUES: &str = "cni-values.yaml";
/// How long a repository may take to name a chart.
const LOOK: Duration = Duration::from_secs(120);
/// Helm's own time limit comes first, so that the error is helm's.
const MORE: Duration = Duration::from_secs(60);

/// What helm says when something is wrong that the user can mend, and how.
const ADVICE: [(&str, &str); 6] = [
    (
        "specifications of the schema",
        "correct the values (--cni-values FILE, --set NAME=VALUE); `kubectl pivot create … --dry-run` \
         prints them as the chart gets them",
    ),
    ("cannot be reached", REPOSITORY),
    ("failed to fetch", REPOSITORY),
    ("not found", CHART),
    ("no such file or directory", CHART),
    (
        "timed out waiting",
        "see what is not ready in the target, or wait longer with --timeout SECONDS",
    ),
];
const REPOSITORY: &str = "the repository of the chart has to be reachable from here; name another one with --cni-repo URL, or a \
     chart that is here with --cni-chart PATH";
const CHART: &str = "choose a version that the repository has (--set chart-version=VERSION), another repository \
     (--cni-repo URL), or a chart that is here (--cni-chart PATH)";

/// Whether the chart is where it is looked for, before anything is created.
pub(in super::super) async fn find_chart(
    turn: &Turn<'_>,
    chart: &HelmChart,
) -> Result<(), StepError> {
    let helm = turn.tool(KnownTool::Helm).await?;
    turn.run(&helm, show_chart(chart)).await.map(drop).map_err(advised)
}

/// The question for it.
pub(in super::super) fn show_chart(chart: &HelmChart) -> ToolCommand {
    located(ToolCommand::new(["show", "chart"]), chart).within(LOOK).keep_stdout()
}

/// Ensures that the release is as planned.
pub(super) async fn install(turn: &Turn<'_>, chart: &HelmChart) -> Result<String, StepError> {
    let helm = turn.tool(KnownTool::Helm).await?;
    let kubeconfig = turn.target_kubeconfig();
    let release = Release { turn, helm: &helm, chart, kubeconfig: &kubeconfig };
    if release::is_as_planned(&release).await? {
        return Ok(format!("{} was there already", described(chart)));
    }
    let values = turn.folder().write_yaml(VALUES, &Value::Object(chart.values.clone()))?;
    let command = upgrade(turn.spec(), chart, &values, &kubeconfig);
    turn.run(&helm, command).await.map_err(advised)?;
    Ok(described(chart))
}

fn described(chart: &HelmChart) -> String {
    format!("{} {}", chart.chart, chart.version).trim_end().to_owned()
}

pub(super) fn upgrade(
    spec: &Spec,
    chart: &HelmChart,
    values: &Path,
    kubeconfig: &Path,
) -> ToolCommand {
    let command = ToolCommand::new(["upgrade", "--install", &chart.release]);
    located(command, chart)
        .flag("--namespace", &chart.namespace)
        .arg("--create-namespace")
        .flag("--kubeconfig", kubeconfig)
        .flag("--values", values)
        .flag("--timeout", format!("{}s", spec.timeout.as_secs()))
        .within(spec.timeout + MORE)
}

/// Adds which chart, and where it is. A registry is part of the chart's name.
fn located(mut command: ToolCommand, chart: &HelmChart) -> ToolCommand {
    command = match chart.repo.as_str() {
        "" => command.arg(&chart.chart),
        repo if repo.starts_with("oci://") => {
            command.arg(format!("{}/{}", repo.trim_end_matches('/'), chart.chart))
        }
        repo => command.arg(&chart.chart).flag("--repo", repo),
    };
    if chart.version.is_empty() { command } else { command.flag("--version", &chart.version) }
}

/// The words of helm, and what to do about them.
pub(super) fn advised(error: StepError) -> StepError {
    let StepError::Tool(ToolError::Failed(failure)) = error else { return error };
    let words = failure.stderr_tail.join("\n");
    let advice = ADVICE.iter().find(|(sign, _)| words.contains(sign));
    match advice {
        Some((_, hint)) => StepError::refused(failure.to_string(), *hint),
        None => StepError::Tool(ToolError::Failed(failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(repo: &str, chart: &str, version: &str) -> String {
        let chart = HelmChart {
            repo: repo.to_owned(),
            chart: chart.to_owned(),
            version: version.to_owned(),
            ..HelmChart::default()
        };
        show_chart(&chart).line("helm")
    }

    #[test]
    fn charts_are_named_as_helm_wants_it() {
        assert_eq!(
            line("https://helm.cilium.io/", "cilium", "1.2.3"),
            "helm show chart cilium --repo https://helm.cilium.io/ --version 1.2.3"
        );
        assert_eq!(
            line("oci://registry.example/charts", "cilium", "1.2.3"),
            "helm show chart oci://registry.example/charts/cilium --version 1.2.3"
        );
        assert_eq!(line("", "/x/cilium.tgz", ""), "helm show chart /x/cilium.tgz");
    }
}
