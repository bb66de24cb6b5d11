//! Talking to one cluster: kubeconfig, client, retry policy, errors.
//!
//! Knows nothing of moves, phases or terminals.

mod client;
mod error;
mod kubeconfig;
mod retry;
mod served;
mod watch;

pub use client::{Client, ConnectError, FIELD_MANAGER, PatchKind, WriteOptions};
pub use error::{ApiError, ApiErrorCause, Subject, Verb};
pub use kubeconfig::{KubeconfigProblem, KubeconfigRef};
pub use retry::RetryPolicy;
pub use served::Served;
pub use watch::{Change, Changes, Watched};
