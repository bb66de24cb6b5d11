//! The steps by name, and their order. What each of them is stands in the table of `steps`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::steps::{Definition, TABLE};

/// A step of `create` or `delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// The add-ons of the infrastructure plugin are in the target.
    Addons,
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
    pub const ALL: [Self; 15] = [
        Self::Preflight,
        Self::Bootstrap,
        Self::InitBootstrap,
        Self::ApplyCluster,
        Self::ControlPlane,
        Self::Kubeconfig,
        Self::Network,
        Self::Addons,
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
        self.definition().needs
    }

    /// Returns the step's work, as an imperative.
    pub fn title(self) -> &'static str {
        self.definition().title
    }

    /// Returns the step's name in documents.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns its row in the table of all steps.
    pub(super) fn definition(self) -> &'static Definition {
        let row = &TABLE[self as usize];
        debug_assert_eq!(row.step, self, "the table has the order of the steps");
        row
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
    fn every_step_has_its_row() {
        for (position, row) in TABLE.iter().enumerate() {
            assert_eq!(row.step as usize, position, "{}", row.step);
        }
    }

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
