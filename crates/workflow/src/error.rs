//! Errors of steps and runs.

use blueprint::BlueprintError;
use cluster::{ApiError, ConnectError};
use probes::{ProbeResult, UnknownProbe, names, sentences};
use tools::ToolError;
use transfer::{MoveError, PhaseError};

use super::order::Step;
use super::spec::SpecError;
use super::store::StoreError;
use super::user_kubeconfig::UserKubeconfigError;

/// Errors of steps.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// A program failed or is missing.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A plugin gave no usable description.
    #[error(transparent)]
    Blueprint(#[from] BlueprintError),
    /// The settings are not complete.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The folder of the run cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The user's kubeconfig cannot take the target in.
    #[error(transparent)]
    UserKubeconfig(#[from] UserKubeconfigError),
    /// A kubeconfig cannot be used.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A request failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The move failed.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// Readiness probes of plugins do not hold.
    #[error("{}", sentences(.0))]
    NotReady(Vec<ProbeResult>),
    /// A wait took too long.
    #[error("timed out after {seconds} s waiting until {what}; last seen: {last}")]
    TimedOut {
        /// The condition that was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// The state that was seen last.
        last: String,
    },
    /// The user wants to stop, or another step has failed meanwhile.
    #[error("stopped")]
    Interrupted,
    /// Something else, in words, and what to do about it.
    #[error("{what}")]
    Refused {
        /// The problem.
        what: String,
        /// The fix.
        hint: String,
    },
    /// Reading both clusters failed.
    #[error(transparent)]
    Phase(PhaseError),
}

impl StepError {
    pub(super) fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { what: what.into(), hint: hint.into() }
    }

    /// Returns true if the user wanted it.
    pub fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Tool(error) => error.is_interruption(),
            Self::Move(error) => error.is_interruption(),
            _ => false,
        }
    }

    /// Returns further lines: the message of a refused move has the first problem only.
    pub(super) fn details(&self) -> Vec<String> {
        let Self::Move(MoveError::Refused(findings)) = self else { return Vec::new() };
        findings.errors().map(|finding| format!("{finding} ({})", finding.hint)).collect()
    }

    /// Returns the next step for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Tool(error) => Some(error.hint()),
            Self::Store(error) => Some(error.hint()),
            Self::Api(error) if error.is_invalid() => Some(format!(
                "fix the object as the {} cluster says; it comes from the plugin (`kubectl pivot \
                 render` shows it) or from your file",
                error.cluster
            )),
            Self::Api(error) => Some(error.hint()),
            Self::Move(error) => Some(error.hint()),
            Self::Phase(error) => Some(error.hint()),
            Self::UserKubeconfig(error) => Some(error.hint()),
            Self::Refused { hint, .. } => Some(hint.clone()),
            Self::NotReady(probes) => Some(format!(
                "fix what they wait for, wait longer with --timeout SECONDS, or leave them out \
                 with --skip-probes {}",
                names(probes)
            )),
            Self::TimedOut { seconds, .. } => Some(format!(
                "find out why it takes so long, or run the command again with a timeout above \
                 --timeout {seconds}"
            )),
            Self::Blueprint(BlueprintError::Template(error)) => Some(error.hint()),
            Self::Blueprint(_) | Self::Spec(_) | Self::Connect(_) | Self::Interrupted => None,
        }
    }
}

/// Errors of runs.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// The folder of the run cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings are not complete.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A plugin gave no usable description.
    #[error(transparent)]
    Blueprint(#[from] BlueprintError),
    /// A probe that is to be left out does not exist.
    #[error(transparent)]
    UnknownProbe(#[from] UnknownProbe),
    /// The run is not aborted, or only half.
    #[error("cannot abort the run `{name}`{}",
        if *is_begun { "" } else { "; nothing was removed" })]
    Abort {
        /// Name of the run.
        name: String,
        /// True if something may have been removed.
        is_begun: bool,
        /// The cause.
        source: Box<StepError>,
    },
    /// The journal cannot be written, for example on a full disk; everything is kept.
    #[error("cannot continue the run `{name}`")]
    Journal {
        /// Name of the run.
        name: String,
        /// The cause.
        source: StoreError,
    },
    /// The run has come to its end before, and its result is not there any more.
    #[error("the run `{name}` has already finished, and {what}")]
    Over {
        /// Name of the run.
        name: String,
        /// The state of the target.
        what: String,
    },
    /// An abort of the run was interrupted.
    #[error("an abort of the run `{0}` was interrupted")]
    BeingAborted(String),
    /// A step has failed; everything is kept.
    #[error("the step `{step}` failed{}", words(inspection))]
    Step {
        /// Name of the run.
        name: String,
        /// The step that failed.
        step: Step,
        /// Objects, events and logs that may tell more.
        inspection: Vec<String>,
        /// The cause.
        source: Box<StepError>,
    },
    /// A step of a deletion has failed; everything is kept.
    #[error("the step `{step}` failed{}", words(inspection))]
    Removal {
        /// Name of the cluster.
        name: String,
        /// The step that failed.
        step: Step,
        /// Objects, events and logs that may say more.
        inspection: Vec<String>,
        /// The cause.
        source: Box<StepError>,
    },
}

/// The way on after a failed deletion.
fn removal_hint(name: &str, step: Step, source: &StepError) -> String {
    let advice = source.hint().map(|hint| format!("{hint}; ")).unwrap_or_default();
    match step {
        Step::Preflight => format!("{advice}nothing was changed"),
        _ => format!(
            "{advice}everything is kept; `kubectl pivot delete {name}` with the same flags \
             continues"
        ),
    }
}

fn words(inspection: &[String]) -> String {
    inspection.iter().map(|line| format!("\n  {line}")).collect()
}

impl WorkflowError {
    /// Of an outline: nothing was begun.
    pub(super) fn before_all(name: &str, error: StepError) -> Self {
        match error {
            StepError::Blueprint(error) => Self::Blueprint(error),
            StepError::Spec(error) => Self::Spec(error),
            error => Self::Step {
                name: name.to_owned(),
                step: Step::Preflight,
                inspection: Vec::new(),
                source: Box::new(error),
            },
        }
    }

    /// Returns true if nothing had been changed.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Step { step, .. } | Self::Removal { step, .. } => *step == Step::Preflight,
            Self::Abort { is_begun, .. } => !is_begun,
            Self::Journal { .. } => false,
            _ => true,
        }
    }

    /// Returns the next step for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => Some(error.hint()),
            Self::Spec(_) => Some("see `kubectl pivot create --help`".to_owned()),
            Self::Blueprint(_) => None,
            Self::UnknownProbe(error) => Some(error.hint()),
            Self::Removal { name, step, source, .. } => Some(removal_hint(name, *step, source)),
            Self::Abort { source, .. } => source.hint(),
            Self::Journal { name, source } => Some(format!(
                "{}; everything is kept; `kubectl pivot resume {name}` continues",
                source.hint()
            )),
            Self::Over { name, .. } => Some(format!(
                "if the target is gone, `kubectl pivot abort {name}` forgets the old run, and \
                 deletes nothing that still holds a Cluster; then create it again"
            )),
            Self::BeingAborted(name) => {
                Some(format!("`kubectl pivot abort {name}` finishes that; then create it again"))
            }
            Self::Step { name, step, source, .. } => {
                let advice = source.hint().map(|hint| format!("{hint}; ")).unwrap_or_default();
                Some(match step {
                    Step::Preflight => format!("{advice}nothing was created"),
                    _ => {
                        format!(
                            "{advice}all objects are kept; `kubectl pivot resume {name}` continues \
                             the run"
                        )
                    }
                })
            }
        }
    }
}
