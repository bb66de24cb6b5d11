//! The result of a probe.

use std::fmt;

use kubectl_pivot_plugin_api::ProbeStage;
use serde::Serialize;

/// The result of a probe at one moment of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProbeResult {
    /// Name of the plugin that declares it.
    pub plugin: String,
    /// Name of the probe.
    pub probe: String,
    /// `source` or `target`; absent for a probe on a cluster that this version does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Moment at which it must hold.
    pub stage: ProbeStage,
    /// The result.
    pub outcome: ProbeOutcome,
    /// The state that was seen last, or the reason why it was left out; absent when it holds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Seconds spent on it.
    pub seconds: f64,
}

/// The result of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ProbeOutcome {
    /// It holds.
    Held,
    /// It did not hold in time.
    TimedOut,
    /// It was looked at once, and does not hold.
    NotYet,
    /// It can never hold: its expression or its selection is wrong, or it is forbidden to look.
    Failed,
    /// It was left out, by the user or because this program does not know its cluster or moment.
    Skipped,
    /// The user did not want to wait for it any longer.
    Interrupted,
}

impl ProbeResult {
    /// Returns how users name it: `PLUGIN/PROBE`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.plugin, self.probe)
    }

    /// Returns true if it stands in the way.
    pub fn is_bad(&self) -> bool {
        !matches!(self.outcome, ProbeOutcome::Held | ProbeOutcome::Skipped)
    }
}

/// Every probe in a sentence of its own.
pub fn sentences(probes: &[ProbeResult]) -> String {
    let sentences: Vec<_> = probes.iter().map(ToString::to_string).collect();
    sentences.join("; ")
}

/// The probes as `--skip-probes` takes them.
pub fn names(probes: &[ProbeResult]) -> String {
    let names: Vec<_> = probes.iter().map(ProbeResult::id).collect();
    names.join(",")
}

impl fmt::Display for ProbeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cluster = self.cluster.as_ref().map(|cluster| format!(" in the {cluster} cluster"));
        let cluster = cluster.unwrap_or_default();
        let message = &self.message;
        write!(f, "probe {}", self.id())?;
        match self.outcome {
            ProbeOutcome::Held => write!(f, " holds{cluster}"),
            ProbeOutcome::TimedOut => {
                write!(f, " did not hold within {:.0} s{cluster}: {message}", self.seconds)
            }
            ProbeOutcome::NotYet => write!(f, " does not hold{cluster}: {message}"),
            ProbeOutcome::Failed => write!(f, " cannot hold{cluster}: {message}"),
            ProbeOutcome::Skipped => write!(f, " was left out: {message}"),
            ProbeOutcome::Interrupted => write!(f, " was not awaited{cluster}: {message}"),
        }
    }
}
