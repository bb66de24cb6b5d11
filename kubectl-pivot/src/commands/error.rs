//! Errors of commands, each with its exit code.

use blueprint::{BlueprintError, TemplateError};
use cluster::{ApiError, ConnectError};
use kubectl_pivot_plugin_api::{ErrorCode, PluginError};
use plugin_artifact::{ArtifactError, KeyError, PackError, SourceError};
use plugin_host::{
    CallError, InstallError, LoadError, LockError, PluginFileError, SearchError, SelectError,
};
use sandbox::fleet::FleetError;
use sandbox::{RelayError, SandboxError};
use transfer::{EncryptionError, MoveError, Outcome, PhaseError, Report};
use workflow::{DocumentError, StoreError, WorkflowError};

use super::completion::CompletionError;
use super::plugin::NewPluginError;
use super::render::RenderError;

/// Exit codes, as `docs/reference/exit-codes.md` has them.
pub mod exit {
    /// Done.
    pub const OK: u8 = 0;
    /// Something unexpected failed.
    pub const FAILED: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// Refused before anything was changed.
    pub const REFUSED: u8 = 3;
    /// There is nothing in scope.
    pub const NOTHING_IN_SCOPE: u8 = 4;
    /// Failed, and was rolled back.
    pub const UNDONE: u8 = 5;
    /// Failed halfway; the error says what to do.
    pub const UNFINISHED: u8 = 6;
    /// A check failed: `verify`, `doctor`, `plugin check`, or a readiness probe after the move.
    pub const NOT_VERIFIED: u8 = 7;
    /// Interrupted by the user, and rolled back.
    pub const INTERRUPTED: u8 = 130;
}

/// Errors of commands.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A kubeconfig is missing or unusable.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A request failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The move failed.
    #[error(transparent)]
    Move(#[from] MoveError),
    /// A run failed; the report tells how far it has come.
    #[error("{source}")]
    Failed {
        /// The report up to the failure.
        report: Box<Report>,
        /// The cause.
        source: MoveError,
    },
    /// Completion cannot be installed.
    #[error(transparent)]
    Completion(#[from] CompletionError),
    /// There is no folder for backups.
    #[error("there is no folder for backups: neither KUBECTL_PIVOT_STATE_DIR nor HOME is set")]
    NoStateFolder,
    /// A key for a backup cannot be used.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),
    /// A backup is not whole, or not readable.
    #[error(transparent)]
    BadBackup(PhaseError),
    /// A sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The relay of a sandbox cannot work.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// A fleet could not be created.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The folders of plugins cannot be searched.
    #[error(transparent)]
    PluginSearch(#[from] SearchError),
    /// The list of trusted plugins cannot be used.
    #[error(transparent)]
    PluginLock(#[from] LockError),
    /// A plugin is not there or not usable.
    #[error(transparent)]
    Plugin(#[from] LoadError),
    /// A plugin cannot be installed, trusted or removed.
    #[error(transparent)]
    PluginInstall(#[from] InstallError),
    /// The files of a plugin are no artifact.
    #[error(transparent)]
    PluginPack(#[from] PackError),
    /// An artifact of a registry cannot be had or written.
    #[error(transparent)]
    PluginArtifact(#[from] ArtifactError),
    /// A signature does not count.
    #[error(transparent)]
    PluginKey(#[from] KeyError),
    /// A plugin of a registry is not what it should be.
    #[error("plugin `{name}` was not installed: {why}")]
    PluginDiffers {
        /// Name of the plugin.
        name: String,
        /// The difference.
        why: String,
    },
    /// There is no room for a file.
    #[error("cannot write a temporary file")]
    Scratch {
        /// The cause.
        source: std::io::Error,
    },
    /// A plugin refuses, or gives no usable answer.
    #[error(transparent)]
    PluginCall(#[from] CallError),
    /// A variable of a plugin is wrong.
    #[error(transparent)]
    Variable(PluginError),
    /// The crate of a plugin cannot be written.
    #[error(transparent)]
    NewPlugin(#[from] NewPluginError),
    /// The plugins give no network that can be used.
    #[error(transparent)]
    Blueprint(BlueprintError),
    /// Nothing can be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A document cannot be used.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A run of `create` has not come to its end.
    #[error(transparent)]
    Workflow(WorkflowError),
    /// This program has a bug.
    #[error("kubectl-pivot panicked, which is a bug: {0}")]
    Panicked(String),
    /// The user said no.
    #[error("not confirmed; nothing was changed")]
    NotConfirmed,
    /// The arguments contradict each other.
    #[error("{0}")]
    Usage(String),
}

impl CommandError {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Encryption(_)
            | Self::Usage(_)
            | Self::PluginSearch(_)
            | Self::Variable(_)
            | Self::NewPlugin(_) => exit::USAGE,
            Self::Plugin(LoadError::Select(SelectError::Unknown { .. }))
            | Self::PluginInstall(InstallError::NotInstalled { .. }) => exit::USAGE,
            Self::PluginArtifact(ArtifactError::Source(_))
            | Self::PluginKey(KeyError::Malformed { .. })
            | Self::PluginPack(PackError::NoFile) => exit::USAGE,
            Self::Plugin(_)
            | Self::PluginLock(_)
            | Self::PluginInstall(_)
            | Self::PluginArtifact(_)
            | Self::PluginKey(_)
            | Self::PluginPack(_)
            | Self::PluginDiffers { .. } => exit::REFUSED,
            Self::PluginCall(error) => of_call(error),
            Self::Blueprint(
                BlueprintError::NoCni(_) | BlueprintError::Template(TemplateError::Ignored { .. }),
            ) => exit::USAGE,
            Self::Blueprint(_) => exit::REFUSED,
            Self::Render(RenderError::Manifests { .. }) => exit::USAGE,
            Self::Render(_) => exit::REFUSED,
            Self::Connect(_) | Self::NotConfirmed | Self::NoStateFolder | Self::Completion(_) => {
                exit::REFUSED
            }
            Self::Move(error) | Self::Failed { source: error, .. } => of_move(error),
            Self::BadBackup(_) => exit::NOT_VERIFIED,
            Self::Document(_) => exit::USAGE,
            Self::Workflow(error) => of_workflow(error),
            Self::Panicked(_)
            | Self::Scratch { .. }
            | Self::Api(_)
            | Self::Sandbox(_)
            | Self::Relay(_)
            | Self::Fleet(_) => exit::FAILED,
        }
    }

    /// Returns the next step for the user.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(_) => Some(
                "check the path and the context; `kubectl config get-contexts` lists contexts"
                    .to_owned(),
            ),
            Self::Api(error) => Some(error.hint()),
            Self::Move(error) => Some(error.hint()),
            Self::Failed { report, source } => Some(match &report.backup {
                Some(backup) if report.outcome == Outcome::Unfinished => {
                    format!(
                        "{}. The backup of the source from before the copy is in {backup}",
                        source.hint_of(report.operation)
                    )
                }
                _ => source.hint_of(report.operation),
            }),
            Self::NoStateFolder => Some(
                "name a folder with --backup-dir, or leave the backup out with --no-backup"
                    .to_owned(),
            ),
            Self::Completion(error) => Some(error.hint()),
            Self::Encryption(error) => Some(error.hint()),
            Self::BadBackup(error) => Some(error.hint()),
            Self::Sandbox(error) => error.hint(),
            Self::Fleet(error) => Some(error.hint()),
            Self::PluginSearch(error) => Some(error.hint().to_owned()),
            Self::PluginLock(error) => Some(error.hint().into_owned()),
            Self::Plugin(error) => Some(error.hint()),
            Self::PluginInstall(error) => Some(error.hint().into_owned()),
            Self::PluginPack(error) => Some(error.hint()),
            Self::PluginArtifact(error) => Some(error.hint()),
            Self::PluginKey(error) => Some(error.hint().to_owned()),
            Self::PluginDiffers { .. } => Some("do not use it, and tell its publisher".to_owned()),
            Self::Scratch { .. } => Some("make room in $TMPDIR".to_owned()),
            Self::PluginCall(error) => error.hint().map(str::to_owned),
            Self::Variable(error) => error.hint.clone(),
            Self::NewPlugin(error) => Some(error.hint().to_owned()),
            Self::Blueprint(BlueprintError::NoDefaultNetwork { network, .. }) => Some(format!(
                "install the plugin `{network}`, choose another network with --cni NAME, or \
                 bring your own with \
                 --cni-manifest FILE"
            )),
            Self::Blueprint(BlueprintError::NoCni(_)) => Some(
                "choose one with --cni NAME; `kubectl pivot plugin list` has the names".to_owned(),
            ),
            Self::Blueprint(BlueprintError::Template(error)) => Some(error.hint()),
            Self::Blueprint(_) => {
                Some("get a version of the plugin for this version of kubectl-pivot".to_owned())
            }
            Self::Render(error) => Some(error.hint().to_owned()),
            Self::Document(_) => {
                Some("see `kubectl pivot create --help` for the fields".to_owned())
            }
            Self::Workflow(error) => error.hint(),
            Self::Panicked(_) => Some(
                "please report this bug. `kubectl pivot status` shows a run that the bug \
                 interrupted"
                    .to_owned(),
            ),
            Self::NotConfirmed => {
                Some("--yes answers the question beforehand, --dry-run shows the plan".to_owned())
            }
            Self::Relay(_) => None,
            Self::Usage(_) => Some("see `--help` of the command".to_owned()),
        }
    }
}

impl From<BlueprintError> for CommandError {
    fn from(error: BlueprintError) -> Self {
        match error {
            BlueprintError::Plugin(error) => Self::Plugin(error),
            BlueprintError::Call(error) => Self::PluginCall(error),
            BlueprintError::Variable(error) => Self::Variable(error),
            error => Self::Blueprint(error),
        }
    }
}

impl From<WorkflowError> for CommandError {
    fn from(error: WorkflowError) -> Self {
        match error {
            WorkflowError::Blueprint(error) => error.into(),
            error => Self::Workflow(error),
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::Workflow(error.into())
    }
}

impl From<SelectError> for CommandError {
    fn from(error: SelectError) -> Self {
        Self::Plugin(error.into())
    }
}

impl From<SourceError> for CommandError {
    fn from(error: SourceError) -> Self {
        Self::PluginArtifact(error.into())
    }
}

impl From<PluginFileError> for CommandError {
    fn from(error: PluginFileError) -> Self {
        Self::Plugin(error.into())
    }
}

fn of_workflow(error: &WorkflowError) -> u8 {
    match error {
        WorkflowError::Spec(_) | WorkflowError::UnknownProbe(_) => exit::USAGE,
        WorkflowError::Store(StoreError::Unknown(_)) => exit::NOTHING_IN_SCOPE,
        error if error.is_refusal() => exit::REFUSED,
        _ => exit::UNFINISHED,
    }
}

fn of_call(error: &CallError) -> u8 {
    let CallError::Refused { source, .. } = error else {
        return if matches!(error, CallError::Kind { .. }) { exit::USAGE } else { exit::FAILED };
    };
    match source.code {
        ErrorCode::InvalidRequest
        | ErrorCode::UnknownVariable
        | ErrorCode::InvalidVariable
        | ErrorCode::MissingVariable => exit::USAGE,
        ErrorCode::Unsupported | ErrorCode::NotImplemented => exit::REFUSED,
        _ => exit::FAILED,
    }
}

fn of_move(error: &MoveError) -> u8 {
    match error {
        error if error.is_interruption() => exit::INTERRUPTED,
        MoveError::Undone { source: PhaseError::Panicked(_), .. }
        | MoveError::PartlyMoved { source: PhaseError::Panicked(_), .. } => exit::FAILED,
        MoveError::Unprepared(_)
        | MoveError::Refused(_)
        | MoveError::NotReady(_)
        | MoveError::NotConfirmed
        | MoveError::Locked(_)
        | MoveError::TooLate { .. } => exit::REFUSED,
        MoveError::UnknownProbe(_) => exit::USAGE,
        MoveError::OfFiles(_)
        | MoveError::BeingUndone(_)
        | MoveError::NotDeleted { .. }
        | MoveError::NoReturn { .. }
        | MoveError::NotAlone { .. }
        | MoveError::MarksDoNotSuffice { .. } => exit::REFUSED,
        MoveError::NoRun(_) => exit::NOTHING_IN_SCOPE,
        MoveError::Undone { .. } | MoveError::PartlyMoved { .. } => exit::UNDONE,
        MoveError::HalfUndone { .. }
        | MoveError::Unfinished { .. }
        | MoveError::LockLost { .. } => exit::UNFINISHED,
    }
}

#[cfg(test)]
mod tests {
    use transfer::PhaseError;

    use super::*;

    #[test]
    fn a_panic_that_was_undone_is_something_unexpected_and_one_after_the_commit_is_half_way() {
        let panic = || PhaseError::Panicked("p".to_owned());
        let undone = MoveError::Undone { doing: "copy", source: panic() };
        assert_eq!(CommandError::from(undone).exit_code(), exit::FAILED);
        let unfinished = MoveError::Unfinished { doing: "delete", source: panic() };
        assert_eq!(CommandError::from(unfinished).exit_code(), exit::UNFINISHED);
    }
}
