//! All steps: names, order, and the functions that do them. A step is declared here and nowhere else.

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use super::{
    addons, apply_cluster, bootstrap, control_plane, delete_bootstrap, init_bootstrap, init_target,
    kubeconfig, merge_kubeconfig, move_cluster, network, nodes, preflight, target_providers,
    verify,
};
use crate::context::StepContext;
use crate::error::StepError;
use crate::order::Step;
use crate::outline::{DryRun, StepPreview};
use crate::removal;

/// Everything that is known of a step.
pub(crate) struct Definition {
    pub(crate) step: Step,
    /// The name in documents.
    pub(crate) name: &'static str,
    /// The work, as an imperative.
    pub(crate) title: &'static str,
    /// The steps of `create` that have to be done before.
    pub(crate) needs: &'static [Step],
    /// The future has a place of its own: together they would be too large for a stack.
    perform: for<'a> fn(&'a StepContext<'a>) -> LocalBoxFuture<'a, Result<String, StepError>>,
    sketch: fn(&DryRun<'_>) -> Result<StepPreview, StepError>,
}

/// Does a step, and says in a line what came of it.
pub(crate) async fn perform(step_context: &StepContext<'_>) -> Result<String, StepError> {
    (step_context.step.definition().perform)(step_context).await
}

/// Says what a step would do.
pub(crate) fn sketch(step: Step, sketch: &DryRun<'_>) -> Result<StepPreview, StepError> {
    (step.definition().sketch)(sketch)
}

/// The steps, in the order of [`Step`].
pub(crate) static TABLE: [Definition; 16] = [
    Definition {
        step: Step::Preflight,
        name: "preflight",
        title: "Check programs and plugins",
        needs: &[],
        perform: |step_context| preflight::perform(step_context).boxed_local(),
        sketch: preflight::sketch,
    },
    Definition {
        step: Step::Bootstrap,
        name: "bootstrap",
        title: "Create the bootstrap cluster",
        needs: &[Step::Preflight],
        perform: |step_context| bootstrap::perform(step_context).boxed_local(),
        sketch: bootstrap::sketch,
    },
    Definition {
        step: Step::InitBootstrap,
        name: "init-bootstrap",
        title: "Install providers in the bootstrap cluster",
        needs: &[Step::Bootstrap],
        perform: |step_context| init_bootstrap::perform(step_context).boxed_local(),
        sketch: init_bootstrap::sketch,
    },
    Definition {
        step: Step::ApplyCluster,
        name: "apply-cluster",
        title: "Apply the cluster",
        needs: &[Step::InitBootstrap],
        perform: |step_context| apply_cluster::perform(step_context).boxed_local(),
        sketch: apply_cluster::sketch,
    },
    Definition {
        step: Step::ControlPlane,
        name: "control-plane",
        title: "Wait for the control plane",
        // The API server of the target answers some time before its management cluster has
        // noticed.
        needs: &[Step::ApplyCluster],
        perform: |step_context| control_plane::perform(step_context).boxed_local(),
        sketch: |sketch| Ok(control_plane::sketch(sketch)),
    },
    Definition {
        step: Step::Kubeconfig,
        name: "kubeconfig",
        title: "Get the kubeconfig of the target",
        needs: &[Step::ApplyCluster],
        perform: |step_context| kubeconfig::perform(step_context).boxed_local(),
        sketch: |sketch| Ok(kubeconfig::sketch(sketch)),
    },
    Definition {
        step: Step::Network,
        name: "network",
        title: "Install the network",
        needs: &[Step::Kubeconfig],
        perform: |step_context| network::perform(step_context).boxed_local(),
        sketch: network::sketch,
    },
    Definition {
        step: Step::Addons,
        name: "addons",
        title: "Install add-ons",
        // The nodes of a cloud wait for its controller manager, so they come up beside it.
        needs: &[Step::Network],
        perform: |step_context| addons::perform(step_context).boxed_local(),
        sketch: addons::sketch,
    },
    Definition {
        step: Step::Nodes,
        name: "nodes",
        title: "Wait for the nodes",
        // Workers join while the providers of the target are installed.
        needs: &[Step::ControlPlane, Step::Network],
        perform: |step_context| nodes::perform(step_context).boxed_local(),
        sketch: |sketch| Ok(nodes::sketch(sketch)),
    },
    Definition {
        step: Step::InitTarget,
        name: "init-target",
        title: "Install providers in the target",
        needs: &[Step::Addons],
        perform: |step_context| init_target::perform(step_context).boxed_local(),
        sketch: init_target::sketch,
    },
    Definition {
        step: Step::TargetProviders,
        name: "target-providers",
        title: "Wait for the providers of the target",
        needs: &[Step::InitTarget],
        perform: |step_context| target_providers::perform(step_context).boxed_local(),
        sketch: |sketch| Ok(target_providers::sketch(sketch)),
    },
    Definition {
        step: Step::Move,
        name: "move",
        title: "Move the cluster into the target",
        needs: &[Step::Nodes, Step::TargetProviders],
        perform: |step_context| move_cluster::perform(step_context).boxed_local(),
        sketch: |sketch| Ok(move_cluster::sketch(sketch)),
    },
    Definition {
        step: Step::Verify,
        name: "verify",
        title: "Verify the target",
        needs: &[Step::Move],
        perform: |step_context| verify::perform(step_context).boxed_local(),
        sketch: |sketch| Ok(verify::sketch(sketch)),
    },
    Definition {
        step: Step::MergeKubeconfig,
        name: "merge-kubeconfig",
        title: "Merge into your kubeconfig",
        needs: &[Step::Verify],
        perform: |step_context| merge_kubeconfig::perform(step_context).boxed_local(),
        sketch: merge_kubeconfig::sketch,
    },
    Definition {
        step: Step::DeleteCluster,
        name: "delete-cluster",
        title: "Delete the cluster",
        needs: &[Step::Move],
        perform: |step_context| removal::delete_cluster(step_context).boxed_local(),
        sketch: |_| Ok(StepPreview::default()),
    },
    Definition {
        step: Step::DeleteBootstrap,
        name: "delete-bootstrap",
        title: "Delete the bootstrap cluster",
        needs: &[Step::MergeKubeconfig],
        perform: |step_context| delete_bootstrap::perform(step_context).boxed_local(),
        sketch: |sketch| Ok(delete_bootstrap::sketch(sketch)),
    },
];
