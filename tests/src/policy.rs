//! Policies of an API server: what it refuses, and from when on.

use std::time::Duration;

use kubectl_pivot::capi::{Object, ResourceType};
use kubectl_pivot::cluster::{Client, WriteOptions};
use serde_json::{Value, json};

const ADMISSION: &str = "admissionregistration.k8s.io/v1";

/// A ValidatingAdmissionPolicy.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Its name.
    pub name: &'static str,
    /// What it refuses: group, plural, operation.
    pub refuses: (&'static str, &'static str, &'static str),
    /// In which cases, as CEL.
    pub when: &'static str,
}

impl Policy {
    /// Installs it, and waits until it is in force.
    ///
    /// # Panics
    /// When it cannot be installed.
    pub async fn install(&self, client: &Client) {
        for (kind, spec) in [policy(self), binding(self)] {
            let object = json!({"apiVersion": ADMISSION, "kind": kind.kind,
                "metadata": {"name": self.name}, "spec": spec});
            let created =
                client.create(&kind, &Object::new(object), &WriteOptions::default()).await;
            created.expect("policies can be made");
        }
        self.wait(client, true).await;
    }

    /// Removes it, and waits until it is out of force.
    ///
    /// # Panics
    /// When it cannot be removed.
    pub async fn remove(&self, client: &Client) {
        for (kind, _) in [binding(self), policy(self)] {
            let found = client.get(&kind, None, self.name).await.expect("policies can be read");
            let uid = found.expect("it was installed").uid().to_owned();
            client.delete(&kind, None, self.name, &uid).await.expect("policies can be deleted");
        }
        self.wait(client, false).await;
    }

    /// An API server applies policies some time after it has stored them.
    async fn wait(&self, client: &Client, in_force: bool) {
        let kind = ResourceType::core("ConfigMap", "configmaps");
        let canary = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": canary(self), "namespace": "default"}});
        let canary = Object::new(canary);
        for _ in 0..600 {
            let refused = client.create(&kind, &canary, &WriteOptions::dry_run()).await.is_err();
            if refused == in_force {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the policy {} does not change its force", self.name);
    }
}

/// Refused in any case, so that it can be told when the policy is in force.
fn canary(policy: &Policy) -> String {
    format!("canary-of-{}", policy.name)
}

fn policy(policy: &Policy) -> (ResourceType, Value) {
    let kind = ResourceType::new(
        ADMISSION,
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        false,
    );
    let (group, plural, operation) = policy.refuses;
    let rule = |group: &str, plural: &str, operation: &str| {
        json!({"apiGroups": [group], "apiVersions": ["*"], "operations": [operation],
            "resources": [plural]})
    };
    let is_canary = format!("request.name == '{}'", canary(policy));
    let refusal = format!("request.kind.kind == 'ConfigMap' ? {is_canary} : ({})", policy.when);
    let spec = json!({
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [
            rule(group, plural, operation), rule("", "configmaps", "CREATE")]},
        "validations": [{
            "expression": format!("!({refusal})"),
            "message": format!("{} refuses it", policy.name),
        }],
    });
    (kind, spec)
}

fn binding(policy: &Policy) -> (ResourceType, Value) {
    let kind = ResourceType::new(
        ADMISSION,
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        false,
    );
    (kind, json!({"policyName": policy.name, "validationActions": ["Deny"]}))
}
