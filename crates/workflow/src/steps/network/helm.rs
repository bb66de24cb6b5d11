//! The chart of a network by the program helm.

use std::path::Path;
use std::time::Duration;

use kubectl_pivot_plugin_api::HelmChart;
use serde_json::Value;
use tools::{Ending, KnownTool, ToolCommand, ToolError, ToolFailure};

use super::release::{self, Release};
use crate::context::StepContext;
use crate::error::StepError;
use crate::spec::Spec;

/// Values of the chart in the folder of the run.
pub(super) const VALUES: &str = "cni-values.yaml";
/// Limit of a repository's answer about a chart.
const SHOW_CHART_TIMEOUT: Duration = Duration::from_secs(120);
/// Helm's own time limit comes first, so that the error is helm's.
const HELM_EXTRA_TIMEOUT: Duration = Duration::from_secs(60);

/// Messages of helm about problems that the user can fix, each with the fix.
const ADVICE: [(&str, &str); 8] = [
    (
        "specifications of the schema",
        "correct the values (--cni-values FILE, --set NAME=VALUE); `kubectl pivot create … \
         --dry-run` prints them as the chart gets them",
    ),
    ("failed to verify certificate", AUTHORITY),
    ("cannot be reached", REPOSITORY),
    ("failed to fetch", REPOSITORY),
    ("not found", CHART),
    ("no such file or directory", CHART),
    // Of a registry, and after what it says of charts that it does not have.
    ("failed to perform \"FetchReference\"", REPOSITORY),
    (
        "timed out waiting",
        "find out what is not ready in the target, or wait longer with --timeout SECONDS",
    ),
];
const REPOSITORY: &str = "the repository of the chart has to be reachable from here; name another \
                          one with --cni-repo URL, or a chart that is here with --cni-chart PATH";
const AUTHORITY: &str = "have this machine trust the authority of the repository; on Linux the \
                         environment variable SSL_CERT_FILE names a file with it";
const CHART: &str = "choose a version that the repository has (--set chart-version=VERSION), \
                     another repository (--cni-repo URL), or a chart that is here (--cni-chart \
                     PATH)";
/// Messages of helm about a registry that wants a login.
const UNKNOWN_USER: [&str; 3] =
    ["basic credential not found", "response status code 401", "response status code 403"];

/// Checks that the chart can be found, before anything is created.
pub(in crate::steps) async fn find_chart(
    step_context: &StepContext<'_>,
    chart: &HelmChart,
) -> Result<(), StepError> {
    let helm = step_context.tool(KnownTool::Helm).await?;
    let shown = step_context.run(&helm, show_chart(chart)).await;
    shown.map(drop).map_err(|error| unseen(error, chart))
}

/// The question for it.
pub(in crate::steps) fn show_chart(chart: &HelmChart) -> ToolCommand {
    located(ToolCommand::new(["show", "chart"]), chart).within(SHOW_CHART_TIMEOUT).keep_stdout()
}

/// Ensures that the release of the network is as planned.
pub(super) async fn install(
    step_context: &StepContext<'_>,
    chart: &HelmChart,
) -> Result<String, StepError> {
    ensure(step_context, chart, VALUES).await.map_err(|error| advised(error, chart))
}

/// Ensures that a release is as planned; its values are kept in a file of the run.
pub(in crate::steps) async fn ensure(
    step_context: &StepContext<'_>,
    chart: &HelmChart,
    values: &str,
) -> Result<String, StepError> {
    let helm = step_context.tool(KnownTool::Helm).await?;
    let kubeconfig = step_context.target_kubeconfig();
    let release = Release { step_context, helm: &helm, chart, kubeconfig: &kubeconfig };
    if release::is_as_planned(&release).await? {
        return Ok(format!("{} was there already", described(chart)));
    }
    let values = step_context.folder().write_yaml(values, &Value::Object(chart.values.clone()))?;
    let command = upgrade(step_context.spec(), chart, &values, &kubeconfig);
    step_context.run(&helm, command).await?;
    Ok(described(chart))
}

fn described(chart: &HelmChart) -> String {
    format!("{} {}", chart.chart, chart.version).trim_end().to_owned()
}

pub(in crate::steps) fn upgrade(
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
        .within(spec.timeout + HELM_EXTRA_TIMEOUT)
}

/// Adds which chart, and where it is. A registry is part of the chart's name.
fn located(mut command: ToolCommand, chart: &HelmChart) -> ToolCommand {
    command = match chart.repo.as_str() {
        "" => command.arg(&chart.chart),
        repo if registry(chart).is_some() => {
            command.arg(format!("{}/{}", repo.trim_end_matches('/'), chart.chart))
        }
        repo => command.arg(&chart.chart).flag("--repo", repo),
    };
    if chart.version.is_empty() { command } else { command.flag("--version", &chart.version) }
}

/// The host of the registry that the chart is in, if it is in one.
fn registry(chart: &HelmChart) -> Option<&str> {
    chart.repo.strip_prefix("oci://")?.split('/').next()
}

/// As [`advised`]. What takes too long here is the repository: `--timeout` gives it no more time.
fn unseen(error: StepError, chart: &HelmChart) -> StepError {
    match error {
        StepError::Tool(ToolError::Failed(failure))
            if matches!(failure.ending, Ending::TimedOut(_)) =>
        {
            StepError::refused(failure.to_string(), REPOSITORY)
        }
        error => advised(error, chart),
    }
}

/// The words of helm, and what to do about them.
fn advised(error: StepError, chart: &HelmChart) -> StepError {
    let StepError::Tool(ToolError::Failed(failure)) = error else { return error };
    match advice(&failure, chart) {
        Some(hint) => StepError::refused(failure.to_string(), hint),
        None => StepError::Tool(ToolError::Failed(failure)),
    }
}

fn advice(failure: &ToolFailure, chart: &HelmChart) -> Option<String> {
    let words = failure.stderr_tail.join("\n");
    let says = |sign: &str| words.contains(sign);
    if let Some(host) = registry(chart).filter(|_| UNKNOWN_USER.into_iter().any(says)) {
        return Some(format!(
            "log in as a user who may read the chart: `helm registry login {host}`; if \
             HELM_REGISTRY_CONFIG names another file with credentials, it has to be set for both"
        ));
    }
    ADVICE.iter().find(|(sign, _)| says(sign)).map(|(_, hint)| (*hint).to_owned())
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

    fn failed(ending: Ending, words: &str) -> StepError {
        StepError::Tool(ToolError::Failed(Box::new(ToolFailure {
            tool: KnownTool::Helm,
            line: String::new(),
            ending,
            stderr_tail: words.lines().map(str::to_owned).collect(),
            log: None,
        })))
    }

    fn hint(repo: &str, words: &str) -> String {
        let chart = HelmChart { repo: repo.to_owned(), ..HelmChart::default() };
        advised(failed(Ending::Code(1), words), &chart).hint().expect("there is always one")
    }

    #[test]
    fn helm_s_words_about_a_registry_are_followed_by_a_hint() {
        let login = "`helm registry login registry.example:5000`";
        for (words, shown) in [
            ("GET \"https://x\": basic credential not found", login),
            ("GET \"https://x\": response status code 401: unauthorized", login),
            ("GET \"https://x\": response status code 403: denied", login),
            ("registry.example:5000/charts/cilium:9: not found", "chart-version"),
            ("Get \"https://x\": tls: failed to verify certificate: x509", "SSL_CERT_FILE"),
            ("Get \"https://x\": dial tcp: lookup x: no such host", "--cni-repo URL"),
            ("Get \"https://x\": net/http: TLS handshake timeout", "--cni-repo URL"),
        ] {
            let words = format!("Error: failed to perform \"FetchReference\" on source: {words}");
            let hint = hint("oci://registry.example:5000/charts", &words);
            assert!(hint.contains(shown), "{words}: {hint}");
        }
    }

    #[test]
    fn nobody_is_sent_to_log_in_where_no_registry_is() {
        for words in ["failed to fetch https://x/cilium.tgz : 401", "response status code 401"] {
            let hint = hint("https://charts.example", words);
            assert!(!hint.contains("login"), "{words}: {hint}");
        }
    }

    #[test]
    fn more_time_helps_to_install_but_not_to_look() {
        let chart = HelmChart::default();
        let late = || failed(Ending::TimedOut(SHOW_CHART_TIMEOUT), "");
        assert_eq!(unseen(late(), &chart).hint().as_deref(), Some(REPOSITORY));
        assert!(advised(late(), &chart).hint().is_some_and(|hint| hint.contains("--timeout")));
    }
}
