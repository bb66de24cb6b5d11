//! Talking to one cluster: kubeconfig, client, retry policy, errors.
//!
//! Knows nothing of moves, phases or terminals.

mod call;
mod client;
mod connection;
mod error;
mod kubeconfig;
mod list;
mod retry;
mod served;
mod watch;

pub use client::{Client, FIELD_MANAGER, PatchKind, WriteOptions};
pub use connection::ConnectError;
pub use error::{ApiError, ApiErrorCause, Subject, Verb};
pub use kubeconfig::{KubeconfigProblem, KubeconfigRef};
pub use retry::RetryPolicy;
pub(crate) use served::AGGREGATED_DISCOVERY;
pub use served::Served;
pub use watch::{Change, Changes, Watched};
