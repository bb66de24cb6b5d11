//! From the name of a step to its file.

use super::{
    apply_cluster, bootstrap, control_plane, delete_bootstrap, init_bootstrap, init_target,
    kubeconfig, merge_kubeconfig, move_cluster, network, nodes, preflight, target_providers,
    verify,
};
use crate::context::Turn;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{Draft, Sketch};
use crate::removal;

/// Does it, and says in a line what came of it.
pub(crate) async fn perform(turn: &Turn<'_>) -> Result<String, StepError> {
    match turn.step {
        Step::Preflight => preflight::perform(turn).await,
        Step::Bootstrap => bootstrap::perform(turn).await,
        Step::InitBootstrap => init_bootstrap::perform(turn).await,
        Step::ApplyCluster => apply_cluster::perform(turn).await,
        Step::ControlPlane => control_plane::perform(turn).await,
        Step::Kubeconfig => kubeconfig::perform(turn).await,
        Step::Network => network::perform(turn).await,
        Step::Nodes => nodes::perform(turn).await,
        Step::InitTarget => init_target::perform(turn).await,
        Step::TargetProviders => target_providers::perform(turn).await,
        Step::Move => move_cluster::perform(turn).await,
        Step::Verify => verify::perform(turn).await,
        Step::MergeKubeconfig => merge_kubeconfig::perform(turn).await,
        Step::DeleteCluster => removal::delete_cluster(turn).await,
        Step::DeleteBootstrap => delete_bootstrap::perform(turn).await,
    }
}

/// Says what it would do.
pub(crate) fn sketch(step: Step, sketch: &Sketch<'_>) -> Result<Draft, StepError> {
    match step {
        Step::Preflight => preflight::sketch(sketch),
        Step::Bootstrap => bootstrap::sketch(sketch),
        Step::InitBootstrap => init_bootstrap::sketch(sketch),
        Step::ApplyCluster => apply_cluster::sketch(sketch),
        Step::ControlPlane => Ok(control_plane::sketch(sketch)),
        Step::Kubeconfig => Ok(kubeconfig::sketch(sketch)),
        Step::Network => network::sketch(sketch),
        Step::Nodes => Ok(nodes::sketch(sketch)),
        Step::InitTarget => init_target::sketch(sketch),
        Step::TargetProviders => Ok(target_providers::sketch(sketch)),
        Step::Move => Ok(move_cluster::sketch(sketch)),
        Step::Verify => Ok(verify::sketch(sketch)),
        Step::MergeKubeconfig => merge_kubeconfig::sketch(sketch),
        Step::DeleteCluster => Ok(Draft::default()),
        Step::DeleteBootstrap => Ok(delete_bootstrap::sketch(sketch)),
    }
}
