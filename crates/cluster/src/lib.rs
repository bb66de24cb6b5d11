//! Talking to one cluster: kubeconfig, client, retry policy, errors.
//!
//! Knows nothing of moves, phases or terminals.

#![deny(clippy::indexing_slicing)]

mod answer;
mod call;
mod client;
mod clock;
mod connection;
mod connector;
mod credentials;
mod error;
mod events;
mod exposure;
mod files;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gate;
mod hints;
#[cfg(test)]
mod hostile_tests;
mod kubeconfig;
mod list;
mod pace;
mod proxy;
mod retry;
mod secrecy;
mod served;
mod tls;
mod transport;
mod watch;

pub use client::{Client, FIELD_MANAGER, PatchKind, WriteOptions};
pub use clock::Moment;
pub use connection::ConnectError;
pub use connection::client as make_client;
pub use error::{ApiError, ApiErrorCause, Subject, Verb};
pub use exposure::Exposure;
pub use gate::{Gate, sleep_until};
pub use kubeconfig::{KubeconfigProblem, KubeconfigRef};
pub use pace::Pace;
pub use proxy::ProxyVariables;
pub use retry::RetryPolicy;
pub use served::Served;
pub use watch::{Change, Changes, Watched};
