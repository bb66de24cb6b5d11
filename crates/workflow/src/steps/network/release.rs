//! The state of a release: as planned, different, or left half done.
//!
//! helm refuses to touch a release that another helm is at work on, and one that was killed leaves
//! its release looking so for ever.

use std::path::Path;
use std::time::{Duration, Instant};

use kubectl_pivot_plugin_api::HelmChart;
use serde_json::{Map, Value};
use tools::{KnownTool, Tool, ToolCommand, ToolError};

use crate::context::StepContext;
use crate::error::StepError;

/// For how long a release has to look the same before the process that was at it counts as gone: as
/// long as the runner of programs gives them to end.
const RELEASE_QUIET_DURATION: Duration = Duration::from_secs(10);
/// The pause between two looks.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Message of helm about a release that does not exist.
const NONE: &str = "release: not found";

/// A release of the target, and how to ask for it.
pub(super) struct Release<'a> {
    pub(super) step_context: &'a StepContext<'a>,
    pub(super) helm: &'a Tool,
    pub(super) chart: &'a HelmChart,
    pub(super) kubeconfig: &'a Path,
}

/// The latest revision, in helm's words.
#[derive(Debug, PartialEq)]
struct Revision {
    number: u64,
    status: String,
    /// Name and version of the chart, joined by a dash.
    chart: String,
}

impl Release<'_> {
    fn command<const N: usize>(&self, words: [&str; N]) -> ToolCommand {
        ToolCommand::new(words)
            .arg(&self.chart.release)
            .flag("--namespace", &self.chart.namespace)
            .flag("--kubeconfig", self.kubeconfig)
            .within(self.step_context.timeout())
    }

    /// Returns the answer to a question, as JSON.
    async fn ask(&self, command: ToolCommand) -> Result<Value, StepError> {
        let command = command.flag("--output", "json").keep_stdout();
        let answer = self.step_context.run(self.helm, command).await?;
        serde_json::from_str(&answer.stdout).map_err(|error| {
            StepError::refused(
                format!("{} gives no JSON: {error}", self.helm.path.display()),
                format!("choose another one with --helm or {}", KnownTool::Helm.variable()),
            )
        })
    }

    async fn latest(&self) -> Result<Option<Revision>, StepError> {
        match self.ask(self.command(["history"]).flag("--max", "1")).await {
            Ok(history) => Ok(history.as_array().and_then(|all| all.last()).map(revision)),
            Err(StepError::Tool(ToolError::Failed(failure)))
                if failure.stderr_tail.iter().any(|line| line.contains(NONE)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The latest revision, when nobody is at work on it any more.
    async fn settled(&self) -> Result<Option<Revision>, StepError> {
        let mut seen = self.latest().await?;
        let mut since = Instant::now();
        while let Some(revision) = seen.as_ref().filter(|seen| seen.is_pending()) {
            if since.elapsed() >= RELEASE_QUIET_DURATION {
                break;
            }
            self.step_context.check()?;
            let status = &revision.status;
            self.step_context.events.doing(format!("release {} is {status}", self.chart.release));
            tokio::time::sleep(CHECK_INTERVAL).await;
            let now = self.latest().await?;
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
        Ok(seen)
    }

    /// Ends what an interrupted helm has begun. Without hooks: they may be jobs, and without a
    /// network none would ever run.
    async fn recover(&self, revision: &Revision) -> Result<(), StepError> {
        let command = match revision.status.as_str() {
            "pending-upgrade" | "pending-rollback" => self.command(["rollback"]),
            _ => self.command(["uninstall"]),
        };
        let (release, status) = (&self.chart.release, &revision.status);
        self.step_context.events.note(format!(
            "release {release} was left {status} by a helm that was interrupted: it is put in \
             order first"
        ));
        self.step_context.run(self.helm, command.arg("--no-hooks")).await.map(drop)
    }

    async fn values(&self) -> Result<Map<String, Value>, StepError> {
        match self.ask(self.command(["get", "values"])).await? {
            Value::Object(values) => Ok(values),
            _ => Ok(Map::new()),
        }
    }
}

/// Returns true if nothing is left to do. Repairs a half-done release first.
pub(super) async fn is_as_planned(release: &Release<'_>) -> Result<bool, StepError> {
    let Some(revision) = release.settled().await? else { return Ok(false) };
    if revision.is_pending() {
        release.recover(&revision).await?;
        return Ok(false);
    }
    if !revision.is_deployed_from(release.chart) {
        return Ok(false);
    }
    Ok(release.values().await? == release.chart.values)
}

fn revision(value: &Value) -> Revision {
    let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
    Revision {
        number: value["revision"].as_u64().unwrap_or_default(),
        status: text("status"),
        chart: text("chart"),
    }
}

impl Revision {
    fn is_pending(&self) -> bool {
        self.status.starts_with("pending-") || self.status == "uninstalling"
    }

    /// A chart without a version, such as one that is here, may be another one each time.
    fn is_deployed_from(&self, chart: &HelmChart) -> bool {
        let version = chart.version.trim_start_matches('v');
        let is_it = |version: &str| self.chart == format!("{}-{version}", chart.chart);
        self.status == "deployed"
            && !version.is_empty()
            && (is_it(version) || is_it(&format!("v{version}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_release_is_known_by_its_chart_and_status() {
        let chart = HelmChart {
            chart: "cilium".to_owned(),
            version: "1.20.2".to_owned(),
            ..HelmChart::default()
        };
        let seen = |status: &str, chart: &str| {
            revision(&json!({"revision": 2, "status": status, "chart": chart}))
        };
        assert!(seen("deployed", "cilium-1.20.2").is_deployed_from(&chart));
        assert!(seen("deployed", "cilium-v1.20.2").is_deployed_from(&chart));
        assert!(!seen("deployed", "cilium-1.20.20").is_deployed_from(&chart));
        assert!(!seen("failed", "cilium-1.20.2").is_deployed_from(&chart));
        let any = HelmChart { version: String::new(), ..chart };
        assert!(!seen("deployed", "cilium-").is_deployed_from(&any));
        for (status, is_pending) in [
            ("pending-install", true),
            ("pending-upgrade", true),
            ("uninstalling", true),
            ("failed", false),
            ("deployed", false),
        ] {
            assert_eq!(seen(status, "").is_pending(), is_pending, "{status}");
        }
    }
}
