//! Facts about a kind that its plugin knows and no API server tells.

use serde::{Deserialize, Serialize};

use super::graph::MoveKind;
use super::object::Object;
use super::references::Reference;

/// The way in which objects of one kind are moved, where it is not that of all others. A run keeps
/// it in its record, so that a process without the plugin can end the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KindKnowledge {
    /// The plugin that says so.
    pub plugin: String,
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// The annotation that stops the controllers of the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Annotation>,
    /// True if the status goes along.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub carries_status: bool,
    /// Objects that go where an object of the kind goes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
    /// Conditions that an object of the kind meets while it is at rest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at_rest: Vec<RestCondition>,
}

/// An annotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// A Secret or ConfigMap that a field of an object names, in the object's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Companion {
    /// Kind.
    pub kind: String,
    /// JSON pointer to the field with the name.
    pub name_field: String,
}

/// A condition of an object that is at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestCondition {
    /// CEL expression over `self`, the object.
    pub expression: String,
    /// The reason for which an object is not at rest.
    pub problem: String,
}

impl KindKnowledge {
    /// Names the companions of an object of the kind.
    pub fn companions_of(&self, object: &Object) -> impl Iterator<Item = Reference> {
        let named = move |companion: &Companion| {
            let name = object.at(&companion.name_field).as_str().filter(|name| !name.is_empty())?;
            Some(Reference {
                group: String::new(),
                kind: companion.kind.clone(),
                namespace: object.namespace().map(str::to_owned),
                name: name.to_owned(),
            })
        };
        self.companions.iter().filter_map(named)
    }
}

impl MoveKind {
    /// The annotation that stops the controllers of the kind, beside the pause of Cluster API.
    pub fn own_pause(&self) -> Option<&Annotation> {
        self.knowledge.as_ref()?.pause.as_ref()
    }

    /// Returns whether the status goes along.
    pub fn carries_status(&self) -> bool {
        let wanted = self.knowledge.as_ref().is_some_and(|knowledge| knowledge.carries_status);
        wanted && self.has_status_subresource
    }

    /// Names the companions of an object of the kind.
    pub fn companions_of(&self, object: &Object) -> Vec<Reference> {
        let knowledge = self.knowledge.as_ref();
        knowledge.map(|knowledge| knowledge.companions_of(object).collect()).unwrap_or_default()
    }
}
