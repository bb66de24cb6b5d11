//! Readiness probes: declared by plugins, evaluated here.
//!
//! A plugin says which objects of which cluster must be how, and when ([`Probe`]). This module
//! watches the objects and says what became of it. It knows nothing of moves: its user
//! chooses the probes, the clusters and the moment, and decides what a probe that does not hold
//! means. It writes to no cluster.
//!
//! [`Probe`]: kubectl_pivot_plugin_api::Probe

mod await_probe;
mod clusters;
mod evaluate;
mod expression;
mod lint;
mod result;
mod seen;
mod skips;

// Named for its feature: cel compiles all time zones of the world in.
use chrono_tz as _;

pub use clusters::{Clusters, served_kinds};
pub use evaluate::{Declared, Evaluation, Patience, compile, evaluate, of_the_future};
pub use expression::{Expression, ExpressionError, Verdict};
pub use lint::{lint, lint_rest};
pub use result::{ProbeOutcome, ProbeResult, names, sentences};
pub use skips::{Skips, UnknownProbe};
