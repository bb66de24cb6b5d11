//! One operation of a run.

use capi::{Graph, ObjectId};
use serde::Serialize;

use crate::record::Role;

/// The sorts of operations on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Pauses it, and with it what belongs to it.
    Pause,
    /// Gives it a pause of its own, beside that of its Cluster.
    PauseItself,
    /// Creates its copy.
    Create,
    /// Hands its copy over: field ownership, finalizers, and the end of the marks.
    HandOver,
    /// Deletes it.
    Delete,
    /// Gives its copy the pause state that the object had.
    Resume,
}

impl Action {
    /// The cluster that it writes to.
    pub fn cluster(self) -> Role {
        match self {
            Self::Pause | Self::PauseItself | Self::Delete => Role::Source,
            Self::Create | Self::HandOver | Self::Resume => Role::Target,
        }
    }

    /// Returns whether a run that has begun with it ignores the wish of its user to stop.
    pub(crate) fn is_carried_through(self) -> bool {
        matches!(self, Self::Delete | Self::Resume)
    }
}

/// The state that an object has to have for an operation; the API server checks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Precondition {
    /// No object has its name.
    Absent,
    /// Nobody has written to it since it was read.
    Unchanged {
        /// The uid.
        uid: String,
        /// The resource version as it was read for the plan. A run reads it again in each phase.
        #[serde(rename = "resourceVersion")]
        resource_version: String,
    },
    /// Nobody has written to the copy since it was read. It is not there yet when a run is planned.
    CopyUnchanged,
}

/// An operation on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ObjectOperation {
    /// Number of its stage, from 1. Those of one stage are carried out at once.
    pub stage: usize,
    /// The sort.
    pub action: Action,
    /// The cluster that it writes to.
    pub cluster: Role,
    /// The object.
    pub object: ObjectId,
    /// The state that the object has to have.
    pub precondition: Precondition,
}

/// Operations of one sort that are carried out at once, as nodes of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The sort.
    pub(crate) action: Action,
    /// The objects.
    pub(crate) nodes: Vec<usize>,
}

impl Stage {
    /// Returns its operations.
    pub(super) fn operations(&self, stage: usize, graph: &Graph) -> Vec<ObjectOperation> {
        let operation = |node: &usize| {
            let object = &graph[*node].object;
            let precondition = match self.action {
                Action::Create => Precondition::Absent,
                Action::HandOver | Action::Resume => Precondition::CopyUnchanged,
                Action::Pause | Action::PauseItself | Action::Delete => Precondition::Unchanged {
                    uid: object.uid().to_owned(),
                    resource_version: object.resource_version().to_owned(),
                },
            };
            let (action, cluster) = (self.action, self.action.cluster());
            ObjectOperation { stage, action, cluster, object: object.id(), precondition }
        };
        self.nodes.iter().map(operation).collect()
    }
}
