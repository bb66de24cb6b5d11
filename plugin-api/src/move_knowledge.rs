//! Facts about the kinds of a provider that a move needs and no API server tells.

use serde::{Deserialize, Serialize};

use crate::cluster::ServedKind;
use crate::protocol::Host;

/// The request of `move`. Since protocol 1.3.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct MoveRequest {
    /// Kinds of Cluster API that the source serves. Empty if that is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub served: Vec<ServedKind>,
    /// The program that asks; it fills this in itself.
    pub host: Host,
}

/// The answer to `move`: the kinds of the provider that are not moved like all others. Since
/// protocol 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct MoveKnowledge {
    /// One entry for each kind.
    pub kinds: Vec<MovedKind>,
}

/// A kind that is not moved like all others. Only kinds of the provider itself count, not those of
/// Cluster API and of Kubernetes. Since protocol 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct MovedKind {
    /// API group, for example `metal3.io`.
    pub group: String,
    /// Kind, for example `BareMetalHost`.
    pub kind: String,
    /// The annotation that stops the controllers of the kind, because they do not heed the pause of
    /// a Cluster. A move sets it beside the pause of Cluster API, and takes it off again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseAnnotation>,
    /// True if the controllers of the kind cannot find out the status again: a move writes it into
    /// the copy. All other copies get their status from their controllers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub carries_status: bool,
    /// Objects that go where an object of the kind goes, although nothing owns or labels them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Companion>,
    /// Conditions that every object of the kind has to meet before a move begins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at_rest: Vec<RestCondition>,
}

/// An annotation that stops the controllers of a kind. Since protocol 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PauseAnnotation {
    /// Name, for example `baremetalhost.metal3.io/paused`.
    pub name: String,
    /// The value that a move writes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
}

/// A Secret or ConfigMap that a field of an object names, in the object's namespace. Since protocol
/// 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Companion {
    /// `Secret` or `ConfigMap`.
    pub kind: String,
    /// The field with the name, as a JSON pointer, for example `/spec/bmc/credentialsName`. An
    /// object without the field has no companion.
    pub name_field: String,
}

/// A condition of an object that is at rest. Since protocol 1.3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct RestCondition {
    /// CEL expression over `self`, the object, at most 2000 bytes long: true if a move may begin.
    /// An expression that fails, for example because a field is not there yet, counts as false.
    pub expression: String,
    /// The reason for which an object is not at rest, as the end of a sentence, for example
    /// `it is being provisioned`.
    pub problem: String,
}

impl MovedKind {
    /// A kind that is moved like all others so far.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned(), ..Self::default() }
    }

    /// Adds the annotation that stops its controllers.
    #[must_use]
    pub fn paused_by(mut self, name: &str, value: &str) -> Self {
        self.pause = Some(PauseAnnotation { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Lets the status go along.
    #[must_use]
    pub fn carrying_status(mut self) -> Self {
        self.carries_status = true;
        self
    }

    /// Lets the Secret that a field names go along.
    #[must_use]
    pub fn with_secret(mut self, name_field: &str) -> Self {
        let (kind, name_field) = ("Secret".to_owned(), name_field.to_owned());
        self.companions.push(Companion { kind, name_field });
        self
    }

    /// Adds a condition, and the reason for which an object is not at rest without it.
    #[must_use]
    pub fn at_rest_if(mut self, expression: &str, problem: &str) -> Self {
        let (expression, problem) = (expression.to_owned(), problem.to_owned());
        self.at_rest.push(RestCondition { expression, problem });
        self
    }

    /// Returns the reasons for which a host cannot use the entry, one sentence fragment each.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.kind.is_empty() || is_of_others(&self.group) {
            problems.push("it is not a kind of the provider".to_owned());
        }
        if let Some(PauseAnnotation { name, .. }) = &self.pause
            && !is_own_annotation(name)
        {
            problems.push(format!("`{name}` is not the name of an annotation of the provider"));
        }
        for Companion { kind, name_field } in &self.companions {
            if !matches!(kind.as_str(), "Secret" | "ConfigMap") {
                problems
                    .push(format!("the companion `{kind}` is neither a Secret nor a ConfigMap"));
            }
            if !name_field.starts_with("/spec/") {
                problems.push(format!("`{name_field}` is not the pointer of a field in `spec`"));
            }
        }
        let is_empty = |rest: &RestCondition| rest.expression.trim().is_empty();
        if self.at_rest.iter().any(|rest| is_empty(rest) || rest.problem.is_empty()) {
            problems.push("a condition of rest lacks its expression or its reason".to_owned());
        }
        problems
    }
}

impl From<Vec<MovedKind>> for MoveKnowledge {
    fn from(kinds: Vec<MovedKind>) -> Self {
        Self { kinds }
    }
}

/// Groups whose kinds every move knows: those of Kubernetes, of Cluster API, and of kubeadm.
fn is_of_others(group: &str) -> bool {
    let known = ["cluster.x-k8s.io", "addons", "bootstrap", "controlplane", "ipam", "runtime"];
    let of_capi = known.iter().any(|name| {
        group == *name || group.strip_suffix(".cluster.x-k8s.io").is_some_and(|own| own == *name)
    });
    of_capi || !group.contains('.') || group == "k8s.io" || group.ends_with(".k8s.io")
}

/// A name with a prefix, whose meaning is neither that of Kubernetes nor of Cluster API.
fn is_own_annotation(name: &str) -> bool {
    let is_of = |prefix: &str, domain: &str| {
        prefix == domain || prefix.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    };
    let reserved = ["kubernetes.io", "k8s.io", "kubectl-pivot.io", "clusterctl.cluster.x-k8s.io"];
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let Some((prefix, word)) = name.split_once('/') else { return false };
    let is_valid = [prefix, word].iter().all(|part| {
        let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        part.chars().all(is_word) && is_end(part.chars().next()) && is_end(part.chars().last())
    });
    is_valid
        && word.len() <= 63
        && prefix.len() <= 253
        && prefix != "cluster.x-k8s.io"
        && !reserved.iter().any(|domain| is_of(prefix, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_provider_has_no_problems() {
        let host = MovedKind::new("metal3.io", "BareMetalHost")
            .paused_by("baremetalhost.metal3.io/paused", "")
            .carrying_status()
            .with_secret("/spec/bmc/credentialsName")
            .at_rest_if("self.status.provisioning.state != 'provisioning'", "it is provisioned");
        assert_eq!(host.problems(), Vec::<String>::new());
        let own = MovedKind::new("infrastructure.cluster.x-k8s.io", "DevMachine");
        assert_eq!(own.problems(), Vec::<String>::new());
    }

    #[test]
    fn kinds_and_annotations_of_others_are_refused() {
        for (group, kind) in [
            ("", "Secret"),
            ("apps", "Deployment"),
            ("rbac.authorization.k8s.io", "Role"),
            ("cluster.x-k8s.io", "Cluster"),
            ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
            ("metal3.io", ""),
        ] {
            assert_eq!(MovedKind::new(group, kind).problems().len(), 1, "{group} {kind}");
        }
        for name in [
            "paused",
            "cluster.x-k8s.io/paused",
            "kubectl-pivot.io/run",
            "clusterctl.cluster.x-k8s.io/move",
            "a.kubernetes.io/b",
            "a b/c",
            "a/b/c",
            "a.io/",
        ] {
            let kind = MovedKind::new("metal3.io", "BareMetalHost").paused_by(name, "");
            assert_eq!(kind.problems().len(), 1, "{name}");
        }
        let broken = MovedKind {
            companions: vec![Companion { kind: "Pod".to_owned(), name_field: "spec".to_owned() }],
            at_rest: vec![RestCondition::default()],
            ..MovedKind::new("metal3.io", "BareMetalHost")
        };
        assert_eq!(broken.problems().len(), 3);
    }
}
