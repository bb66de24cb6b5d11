//! Policies of an API server: what it refuses or changes, and from when on.

use std::time::Duration;

use capi::{Object, ResourceType};
use cluster::{Client, PatchKind, WriteOptions};
use serde_json::{Value, json};

const ADMISSION: &str = "admissionregistration.k8s.io/v1";

/// A ValidatingAdmissionPolicy.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The name.
    pub name: &'static str,
    /// Requests that it refuses: group, plural, operation.
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
            delete(client, &kind, None, self.name).await;
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

/// A MutatingAdmissionPolicy that takes the first entry of `managedFields` from some Secrets with
/// every update.
#[derive(Clone, Copy, Debug)]
pub struct Forgetful {
    /// The name.
    pub name: &'static str,
    /// The Secrets by name, in every namespace.
    pub secret: &'static str,
}

impl Forgetful {
    /// Installs it, and waits until it is in force.
    ///
    /// # Panics
    /// When it cannot be installed, or is not in force after a minute.
    pub async fn install(&self, client: &Client) {
        let is_one = format!("request.name in ['{}', '{}']", self.secret, self.canary());
        let policy = json!({
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["*"],
                "operations": ["UPDATE"], "resources": ["secrets"]}]},
            "matchConditions": [{"name": "is-one", "expression": is_one},
                {"name": "has-managers", "expression": "has(object.metadata.managedFields)"}],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression":
                "[JSONPatch{op: 'remove', path: '/metadata/managedFields/0'}]"}}],
        });
        install_mutating(client, self.name, policy).await;
        self.wait(client).await;
    }

    /// Removes it.
    ///
    /// # Panics
    /// When it cannot be removed.
    pub async fn remove(&self, client: &Client) {
        remove_mutating(client, self.name).await;
        delete(client, &secrets(), Some("default"), &self.canary()).await;
    }

    fn canary(&self) -> String {
        format!("canary-of-{}", self.name)
    }

    async fn wait(&self, client: &Client) {
        let name = self.canary();
        let canary = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "default"}});
        let created =
            client.create(&secrets(), &Object::new(canary), &WriteOptions::default()).await;
        created.expect("a Secret can be made");
        for round in 0..600 {
            let change = json!({"metadata": {"annotations": {"round": round.to_string()}}});
            let place = (Some("default"), name.as_str());
            let patch = (PatchKind::Merge, &change);
            let patched = client.patch(&secrets(), place, patch, &WriteOptions::default()).await;
            if patched.expect("a Secret can be changed").managed_fields().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the policy {} does not come into force", self.name);
    }
}

/// A MutatingAdmissionPolicy that writes an annotation of its own with every update of an object in
/// one namespace, as tools do that keep the time or the user of a change.
#[derive(Clone, Copy, Debug)]
pub struct Stamping<'a> {
    /// The name, and that of the annotation.
    pub name: &'a str,
    /// The namespace.
    pub namespace: &'a str,
}

impl Stamping<'_> {
    /// Installs it, and waits until it is in force.
    ///
    /// # Panics
    /// When it cannot be installed, or is not in force after a minute.
    pub async fn install(&self, client: &Client) {
        let (name, namespace) = (self.name, self.namespace);
        let stamp = "'after-' + oldObject.metadata.resourceVersion";
        let expression = format!(
            "has(object.metadata.annotations) ? [JSONPatch{{op: 'add', path: \
             '/metadata/annotations/{name}', value: {stamp}}}] : [JSONPatch{{op: 'add', path: \
             '/metadata/annotations', value: {{'{name}': {stamp}}}}}]"
        );
        let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        let policy = json!({
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"namespaceSelector": selector, "resourceRules": [
                {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["UPDATE"],
                "resources": ["*"]}]},
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
        });
        install_mutating(client, name, policy).await;
        self.wait(client).await;
    }

    /// Removes it.
    ///
    /// # Panics
    /// When it cannot be removed.
    pub async fn remove(&self, client: &Client) {
        remove_mutating(client, self.name).await;
    }

    async fn wait(&self, client: &Client) {
        let kind = ResourceType::core("ConfigMap", "configmaps");
        let place = (Some(self.namespace), self.name);
        let canary = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": place.1, "namespace": self.namespace}});
        let created = client.create(&kind, &Object::new(canary), &WriteOptions::default()).await;
        created.expect("a ConfigMap can be made");
        for round in 0..600 {
            let change = json!({"metadata": {"labels": {"round": round.to_string()}}});
            let patch = (PatchKind::Merge, &change);
            let patched = client.patch(&kind, place, patch, &WriteOptions::default()).await;
            if patched.expect("it can be changed").annotation(self.name).is_some() {
                return delete(client, &kind, place.0, place.1).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the policy {} does not come into force", self.name);
    }
}

fn secrets() -> ResourceType {
    ResourceType::core("Secret", "secrets")
}

fn mutating() -> [ResourceType; 2] {
    let kind = |kind, plural| ResourceType::new(ADMISSION, kind, plural, false);
    [
        kind("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
        kind("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    ]
}

/// Installs a MutatingAdmissionPolicy and its binding under one name.
async fn install_mutating(client: &Client, name: &str, policy: Value) {
    for (kind, spec) in mutating().into_iter().zip([policy, json!({"policyName": name})]) {
        let object = json!({"apiVersion": ADMISSION, "kind": kind.kind,
            "metadata": {"name": name}, "spec": spec});
        let created = client.create(&kind, &Object::new(object), &WriteOptions::default()).await;
        created.expect("policies can be made");
    }
}

async fn remove_mutating(client: &Client, name: &str) {
    for kind in mutating().iter().rev() {
        delete(client, kind, None, name).await;
    }
}

async fn delete(client: &Client, kind: &ResourceType, namespace: Option<&str>, name: &str) {
    let found = client.get(kind, namespace, name).await.expect("it can be read");
    let uid = found.expect("it was made").uid().to_owned();
    client.delete(kind, namespace, name, &uid).await.expect("it can be deleted");
}
