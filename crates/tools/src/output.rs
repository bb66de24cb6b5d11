//! The output of a program that ended well.

use std::time::Duration;

/// The result of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Everything on standard output, if it was to be kept. Secrets are still in it.
    pub stdout: String,
    /// The last lines of standard error, without secrets.
    pub stderr_tail: Vec<String>,
    /// The time that it took.
    pub elapsed: Duration,
}
