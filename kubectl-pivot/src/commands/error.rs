//! What can make a command fail, and the exit code of each.

use crate::cluster::{ApiError, ConnectError};
use crate::sandbox::SandboxError;
use crate::sandbox::fleet::FleetError;
use crate::transfer::MoveError;

/// Exit codes, as documented in the README.
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
    /// Failed, and everything was put back.
    pub const UNDONE: u8 = 5;
    /// Failed half-way; the error says what to do.
    pub const UNFINISHED: u8 = 6;
    /// A verification found something that does not hold.
    pub const NOT_VERIFIED: u8 = 7;
    /// Interrupted by the user; everything was put back.
    pub const INTERRUPTED: u8 = 130;
}

/// Why a command failed.
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
    /// A sandbox failed.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A fleet could not be created.
    #[error(transparent)]
    Fleet(#[from] FleetError),
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
            Self::Usage(_) => exit::USAGE,
            Self::Connect(_) | Self::NotConfirmed => exit::REFUSED,
            Self::Move(error) => of_move(error),
            Self::Api(_) | Self::Sandbox(_) | Self::Fleet(_) => exit::FAILED,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(_) => Some(
                "check the path and the context; `kubectl config get-contexts` lists contexts"
                    .to_owned(),
            ),
            Self::Api(error) => Some(error.hint()),
            Self::Move(error) => Some(error.hint()),
            Self::Sandbox(error) => error.hint(),
            Self::Fleet(error) => Some(error.hint()),
            Self::NotConfirmed => {
                Some("--yes answers the question beforehand, --dry-run shows the plan".to_owned())
            }
            Self::Usage(_) => Some("see --help".to_owned()),
        }
    }
}

fn of_move(error: &MoveError) -> u8 {
    match error {
        error if error.is_interruption() => exit::INTERRUPTED,
        MoveError::Unprepared(_)
        | MoveError::Refused(_)
        | MoveError::Locked(_)
        | MoveError::TooLate { .. } => exit::REFUSED,
        MoveError::NoRun(_) => exit::NOTHING_IN_SCOPE,
        MoveError::Undone { .. } => exit::UNDONE,
        MoveError::HalfUndone { .. }
        | MoveError::Unfinished { .. }
        | MoveError::LockLost { .. } => exit::UNFINISHED,
    }
}
