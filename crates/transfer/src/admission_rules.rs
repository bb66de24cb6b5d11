//! Webhooks and policies that a cluster asks about a write. Those that it asks about a deletion see
//! the object's annotations.

use capi::{Object, ResourceType, at};
use cluster::Client;
use serde_json::Value;

const API_VERSION: &str = "admissionregistration.k8s.io/v1";

/// The rules by which webhooks and policies look at writes.
#[derive(Debug, Default)]
pub(super) struct AdmissionRules {
    /// Those of webhooks.
    of_webhooks: Vec<Value>,
    /// Those of policies.
    of_policies: Vec<Value>,
    /// True if some could not be read: any kind may be looked at then.
    are_unknown: bool,
}

impl AdmissionRules {
    /// Reads those of a cluster, as far as its user may.
    pub(super) async fn read(cluster: &Client) -> Self {
        let mut rules = Self::default();
        for (kind, plural) in [
            ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
            ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
            ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
        ] {
            let resource = ResourceType::new(API_VERSION, kind, plural, false);
            match cluster.list(&resource, None).await {
                Ok(listed) => listed.iter().for_each(|object| rules.add(object)),
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    tracing::debug!(%error, kind, "any kind may have webhooks");
                    rules.are_unknown = true;
                }
            }
        }
        rules
    }

    fn add(&mut self, object: &Object) {
        let value = object.value();
        let webhooks = at(value, "/webhooks").as_array().into_iter().flatten();
        let of_webhooks = webhooks.filter_map(|webhook| at(webhook, "/rules").as_array()).flatten();
        self.of_webhooks.extend(of_webhooks.cloned());
        let of_policy = at(value, "/spec/matchConstraints/resourceRules").as_array();
        self.of_policies.extend(of_policy.into_iter().flatten().cloned());
    }

    /// Returns whether something may look at such a write of an object of this kind: `CREATE`,
    /// `DELETE` and so on.
    pub(super) fn look_at(&self, operation: &str, resource: &ResourceType) -> bool {
        let mut rules = self.of_webhooks.iter().chain(&self.of_policies);
        self.are_unknown || rules.any(|rule| matches(rule, operation, resource))
    }

    /// Returns whether a webhook may look at such a write of an object of this kind.
    pub(super) fn webhooks_look_at(&self, operation: &str, resource: &ResourceType) -> bool {
        let mut rules = self.of_webhooks.iter();
        self.are_unknown || rules.any(|rule| matches(rule, operation, resource))
    }

    /// Returns whether some of them could not be read.
    pub(super) fn are_unknown(&self) -> bool {
        self.are_unknown
    }
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

    fn read(object: Value) -> AdmissionRules {
        let mut rules = AdmissionRules::default();
        rules.add(&Object::new(object));
        rules
    }

    fn rule(operations: &[&str], group: &str, resource: &str) -> Value {
        json!({"operations": operations, "apiGroups": [group], "apiVersions": ["v1"],
            "resources": [resource]})
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
            assert!(!read(policy.clone()).webhooks_look_at("DELETE", &machines));
            assert_eq!(read(webhook.clone()).webhooks_look_at("DELETE", &machines), machines_are);
            for object in [webhook, policy] {
                let rules = read(object.clone());
                assert_eq!(rules.look_at("DELETE", &machines), machines_are, "{object}");
                assert_eq!(rules.look_at("DELETE", &secrets), secrets_are, "{object}");
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
