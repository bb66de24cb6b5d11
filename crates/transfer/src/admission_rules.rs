//! Webhooks and policies that a cluster asks about a write. Those that it asks about a deletion see
//! the object's annotations.

use capi::{Object, ResourceType, at};
use cluster::Client;
use serde_json::Value;

const API_VERSION: &str = "admissionregistration.k8s.io/v1";

/// The rules by which webhooks and policies look at writes.
#[derive(Debug, Default)]
pub(super) struct AdmissionRules {
    rules: Vec<Value>,
    /// True if some could not be read: any kind may be looked at then.
    are_unknown: bool,
}

impl AdmissionRules {
    /// Reads those of a cluster, as far as its user may.
    pub(super) async fn read(cluster: &Client) -> Self {
        let mut hooks = Self::default();
        for (kind, plural) in [
            ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
            ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
        ] {
            let resource = ResourceType::new(API_VERSION, kind, plural, false);
            match cluster.list(&resource, None).await {
                Ok(listed) => hooks.rules.extend(listed.iter().flat_map(rules)),
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    tracing::debug!(%error, kind, "any kind may have webhooks");
                    hooks.are_unknown = true;
                }
            }
        }
        hooks
    }

    /// Returns whether something may look at such a write of an object of this kind: `CREATE`,
    /// `DELETE` and so on.
    pub(super) fn look_at(&self, operation: &str, resource: &ResourceType) -> bool {
        self.are_unknown || self.rules.iter().any(|rule| matches(rule, operation, resource))
    }

    /// Returns whether some of them could not be read.
    pub(super) fn are_unknown(&self) -> bool {
        self.are_unknown
    }
}

fn rules(object: &Object) -> Vec<Value> {
    let value = object.value();
    let webhooks = at(value, "/webhooks").as_array().into_iter().flatten();
    let of_webhooks = webhooks.filter_map(|webhook| at(webhook, "/rules").as_array()).flatten();
    let of_policy = at(value, "/spec/matchConstraints/resourceRules").as_array();
    of_webhooks.chain(of_policy.into_iter().flatten()).cloned().collect()
}

fn matches(rule: &Value, operation: &str, resource: &ResourceType) -> bool {
    let has = |field: &str, wanted: &[&str]| {
        let values = rule.get(field).and_then(Value::as_array).into_iter().flatten();
        values.filter_map(Value::as_str).any(|value| wanted.contains(&value))
    };
    has("operations", &[operation, "*"])
        && has("apiGroups", &[&resource.group, "*"])
        && has("resources", &[&resource.plural, "*", "*/*"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hooks(objects: &[Value]) -> AdmissionRules {
        let rules = objects.iter().flat_map(|object| rules(&Object::new(object.clone())));
        AdmissionRules { rules: rules.collect(), are_unknown: false }
    }

    fn rule(operations: &[&str], group: &str, resource: &str) -> Value {
        json!({"operations": operations, "apiGroups": [group], "apiVersions": ["v1"], "resources": [resource]})
    }

    #[test]
    fn webhooks_and_policies_of_deletions_are_found() {
        let machines = ResourceType::new("c.io/v1", "Machine", "machines", true);
        let secrets = ResourceType::core("Secret", "secrets");
        for (rule, machines_are, secrets_are) in [
            (rule(&["CREATE", "DELETE"], "c.io", "machines"), true, false),
            (rule(&["*"], "*", "*"), true, true),
            (rule(&["DELETE"], "", "secrets"), false, true),
            (rule(&["DELETE"], "c.io", "*/*"), true, false),
            (rule(&["UPDATE"], "c.io", "machines"), false, false),
            (rule(&["DELETE"], "c.io", "machines/status"), false, false),
            (rule(&["DELETE"], "d.io", "machines"), false, false),
        ] {
            let webhook = json!({"webhooks": [{"rules": []}, {"rules": [rule]}]});
            let policy = json!({"spec": {"matchConstraints": {"resourceRules": [rule]}}});
            for object in [webhook, policy] {
                let hooks = hooks(std::slice::from_ref(&object));
                assert_eq!(hooks.look_at("DELETE", &machines), machines_are, "{object}");
                assert_eq!(hooks.look_at("DELETE", &secrets), secrets_are, "{object}");
            }
        }
    }

    #[test]
    fn a_webhook_that_cannot_be_read_may_be_there() {
        let secrets = ResourceType::core("Secret", "secrets");
        assert!(!AdmissionRules::default().look_at("DELETE", &secrets));
        assert!(
            AdmissionRules { are_unknown: true, ..Default::default() }.look_at("DELETE", &secrets)
        );
    }
}
