//! The steps, and what each needs to be done before. The only place that knows the order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step of `create` or `delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Programs, plugins, what is in the way.
    Preflight,
    /// The bootstrap cluster is there.
    Bootstrap,
    /// The bootstrap cluster is a management cluster.
    InitBootstrap,
    /// The objects of the cluster are in the bootstrap cluster.
    ApplyCluster,
    /// The control plane of the target is initialised.
    ControlPlane,
    /// The kubeconfig of the target is here, and its API server answers.
    Kubeconfig,
    /// The network is installed in the target.
    Network,
    /// Every machine is a Ready node.
    Nodes,
    /// The target is a management cluster.
    InitTarget,
    /// The target's providers are available, and their webhooks answer.
    TargetProviders,
    /// The objects are in the target.
    Move,
    /// The target manages itself.
    Verify,
    /// The user's kubeconfig has the target, if that is wanted.
    MergeKubeconfig,
    /// The cluster is gone, its machines with it; a step of `delete` only.
    DeleteCluster,
    /// The bootstrap cluster is gone.
    DeleteBootstrap,
}

impl Step {
    /// All steps of `create`, in an order in which each comes after what it needs.
    pub const ALL: [Self; 14] = [
        Self::Preflight,
        Self::Bootstrap,
        Self::InitBootstrap,
        Self::ApplyCluster,
        Self::ControlPlane,
        Self::Kubeconfig,
        Self::Network,
        Self::Nodes,
        Self::InitTarget,
        Self::TargetProviders,
        Self::Move,
        Self::Verify,
        Self::MergeKubeconfig,
        Self::DeleteBootstrap,
    ];

    /// All steps of `delete`, in order.
    pub const REMOVAL: [Self; 6] = [
        Self::Preflight,
        Self::Bootstrap,
        Self::InitBootstrap,
        Self::Move,
        Self::DeleteCluster,
        Self::DeleteBootstrap,
    ];

    /// Returns the steps of `create` that have to be done before.
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Preflight => &[],
            Self::Bootstrap => &[Self::Preflight],
            Self::InitBootstrap => &[Self::Bootstrap],
            Self::ApplyCluster => &[Self::InitBootstrap],
            // The API server of the target answers some time before its management cluster has
            // noticed.
            Self::ControlPlane | Self::Kubeconfig => &[Self::ApplyCluster],
            Self::Network => &[Self::Kubeconfig],
            // Workers join while the providers of the target are installed.
            Self::Nodes => &[Self::ControlPlane, Self::Network],
            Self::InitTarget => &[Self::Network],
            Self::TargetProviders => &[Self::InitTarget],
            Self::Move => &[Self::Nodes, Self::TargetProviders],
            Self::Verify | Self::DeleteCluster => &[Self::Move],
            Self::MergeKubeconfig => &[Self::Verify],
            Self::DeleteBootstrap => &[Self::MergeKubeconfig],
        }
    }

    /// Returns the step's work, as an imperative.
    pub fn title(self) -> &'static str {
        match self {
            Self::Preflight => "Check programs and plugins",
            Self::Bootstrap => "Create the bootstrap cluster",
            Self::InitBootstrap => "Install providers in the bootstrap cluster",
            Self::ApplyCluster => "Apply the cluster",
            Self::ControlPlane => "Wait for the control plane",
            Self::Kubeconfig => "Get the kubeconfig of the target",
            Self::Network => "Install the network",
            Self::Nodes => "Wait for the nodes",
            Self::InitTarget => "Install providers in the target",
            Self::TargetProviders => "Wait for the providers of the target",
            Self::Move => "Move the cluster into the target",
            Self::Verify => "Verify the target",
            Self::MergeKubeconfig => "Merge into your kubeconfig",
            Self::DeleteCluster => "Delete the cluster",
            Self::DeleteBootstrap => "Delete the bootstrap cluster",
        }
    }

    /// Returns the step's name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Bootstrap => "bootstrap",
            Self::InitBootstrap => "init-bootstrap",
            Self::ApplyCluster => "apply-cluster",
            Self::ControlPlane => "control-plane",
            Self::Kubeconfig => "kubeconfig",
            Self::Network => "network",
            Self::Nodes => "nodes",
            Self::InitTarget => "init-target",
            Self::TargetProviders => "target-providers",
            Self::Move => "move",
            Self::Verify => "verify",
            Self::MergeKubeconfig => "merge-kubeconfig",
            Self::DeleteCluster => "delete-cluster",
            Self::DeleteBootstrap => "delete-bootstrap",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_comes_after_what_it_needs() {
        for (position, step) in Step::ALL.iter().enumerate() {
            for needed in step.needs() {
                assert!(Step::ALL[..position].contains(needed), "{step} before {needed}");
            }
            let json = serde_json::to_value(step).expect("a string");
            assert_eq!(json, step.name());
        }
    }

    #[test]
    fn nothing_is_moved_or_deleted_early() {
        let mut before = vec![Step::DeleteBootstrap];
        let mut position = 0;
        while let Some(step) = before.get(position) {
            before.extend(step.needs());
            position += 1;
        }
        for step in Step::ALL {
            assert!(before.contains(&step), "the bootstrap cluster is deleted without {step}");
        }
    }
}
