//! `delete`: the way back. The cluster that manages itself moves into a bootstrap cluster, whose
//! controllers delete it.
//!
//! Steps run one after the other. Each looks first where the cluster is, so a run that was
//! interrupted is continued by the same command.

mod anew;
mod begun;
mod delete_cluster;
mod engine;
mod init;
mod itself;
mod move_back;
mod outline;
mod place;
mod preflight;

pub(super) use delete_cluster::perform as delete_cluster;
pub use engine::run as remove;
pub use outline::outline as removal_outline;
pub use preflight::{Prospect, prospect};

use super::order::Step;

/// Name of the owner of a deletion's bootstrap cluster. A dot is in no name of a run of `create`.
pub(super) fn owner(name: &str) -> String {
    format!("{name}.delete")
}

/// Returns the step's work, as an imperative.
pub(super) fn title(step: Step) -> &'static str {
    match step {
        Step::Preflight => "Check programs and the management cluster",
        Step::InitBootstrap => "Install the same providers in the bootstrap cluster",
        Step::Move => "Move the cluster into the bootstrap cluster",
        Step::DeleteCluster => "Delete the cluster and its machines",
        step => step.title(),
    }
}
