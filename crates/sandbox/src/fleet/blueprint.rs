//! One object as a list of writes: who sets which fields, and how.

use capi::{ObjectId, ResourceType};
use serde_json::Value;

use super::parts::{CONTROLLER, USER};

/// An object and the writes that bring it about, in order.
#[derive(Clone, Debug)]
pub(super) struct Blueprint {
    pub(super) kind: &'static ResourceType,
    pub(super) name: String,
    pub(super) writes: Vec<Write>,
}

/// One request. The body has neither type, namespace, name nor uids of owners.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) manager: &'static str,
    pub(super) how: How,
    pub(super) body: Value,
}

/// The kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// POST, recorded as an update.
    Create,
    /// Server-side apply.
    Apply,
    /// Merge patch, recorded as an update.
    Merge,
    /// Merge patch of the status.
    Status,
}

impl Blueprint {
    pub(super) fn new(kind: &'static ResourceType, name: &str) -> Self {
        Self { kind, name: name.to_owned(), writes: Vec::new() }
    }

    /// As the user's manifest.
    pub(super) fn manifest(self, body: Value) -> Self {
        self.applied(USER, body)
    }

    /// By a controller that uses server-side apply.
    pub(super) fn applied(self, manager: &'static str, body: Value) -> Self {
        self.write(manager, How::Apply, body)
    }

    /// At once, by a controller.
    pub(super) fn created(self, body: Value) -> Self {
        self.write(CONTROLLER, How::Create, body)
    }

    /// Returns what controllers add to the object.
    pub(super) fn patched(self, body: Value) -> Self {
        self.write(CONTROLLER, How::Merge, body)
    }

    /// Returns what controllers report.
    pub(super) fn status(self, status: Value) -> Self {
        self.write(CONTROLLER, How::Status, serde_json::json!({"status": status}))
    }

    /// Kind, namespace and name.
    pub(super) fn id(&self, namespace: &str) -> ObjectId {
        self.kind.id(Some(namespace), &self.name)
    }

    fn write(mut self, manager: &'static str, how: How, body: Value) -> Self {
        self.writes.push(Write { manager, how, body });
        self
    }
}
