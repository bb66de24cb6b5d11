//! The namespaces that a run is about: other programs of a cluster are nobody's business.

use std::collections::BTreeSet;

use capi::names::PROVIDER_LABEL;
use capi::{Object, ResourceType, at};
use cluster::Client;
use transfer::installed_providers;

/// Namespaces of what every management cluster has.
const ALWAYS: [&str; 2] = ["kube-system", "cert-manager"];

/// Namespaces of which a diagnosis has pods and deployments.
pub(super) struct Scope {
    providers: BTreeSet<String>,
    others: BTreeSet<String>,
}

pub(super) fn pods() -> ResourceType {
    ResourceType::core("Pod", "pods")
}

pub(super) fn deployments() -> ResourceType {
    ResourceType::new("apps/v1", "Deployment", "deployments", true)
}

impl Scope {
    /// Asks the cluster for its providers and pods; the run's own namespace is in it, too.
    pub(super) async fn read(client: &Client, own: &str) -> Self {
        let providers = installed_providers(client).await.unwrap_or_default();
        let providers = providers.into_iter().map(|provider| provider.namespace).collect();
        let pods = client.list(&pods(), None).await.unwrap_or_default();
        Self::new(providers, own, &pods)
    }

    fn new(providers: BTreeSet<String>, own: &str, pods: &[Object]) -> Self {
        // A network has pods in that of the host, in a namespace that its user may have named.
        let is_of_network = |pod: &&Object| at(pod.value(), "/spec/hostNetwork") == true;
        let networks = pods.iter().filter(is_of_network).filter_map(Object::namespace);
        let others = ALWAYS.into_iter().chain([own]).chain(networks).map(str::to_owned);
        Self { providers, others: others.collect() }
    }

    /// Leaves out pods and deployments of other namespaces.
    pub(super) fn narrow(&self, kind: &ResourceType, mut objects: Vec<Object>) -> Vec<Object> {
        if [pods(), deployments()].contains(kind) {
            let is_other =
                |object: &Object| object.namespace().is_some_and(|n| self.others.contains(n));
            objects.retain(|object| self.is_of_provider(object) || is_other(object));
        }
        objects
    }

    /// A provider that was installed by half is only known by its label.
    pub(super) fn is_of_provider(&self, object: &Object) -> bool {
        let is_known = |namespace| self.providers.contains(namespace);
        object.namespace().is_some_and(is_known) || object.label(PROVIDER_LABEL).is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(namespace: &str, spec: Value) -> Object {
        let value = json!({"apiVersion": "v1", "kind": "Pod", "spec": spec,
            "metadata": {"name": "a", "namespace": namespace}});
        Object::new(value)
    }

    #[test]
    fn pods_of_other_programs_are_left_out() {
        let all = vec![
            pod("capi-system", json!({})),
            pod("kube-system", json!({})),
            pod("calico-system", json!({"hostNetwork": true})),
            pod("clusters", json!({})),
            pod("shop", json!({})),
        ];
        let scope = Scope::new(BTreeSet::from(["capi-system".to_owned()]), "clusters", &all);
        let left = scope.narrow(&pods(), all.clone());
        let namespaces: Vec<_> = left.iter().filter_map(Object::namespace).collect();
        assert_eq!(namespaces, ["capi-system", "kube-system", "calico-system", "clusters"]);
        let leases = ResourceType::new("coordination.k8s.io/v1", "Lease", "leases", true);
        assert_eq!(scope.narrow(&leases, all).len(), 5);
        let mut half = pod("capa-system", json!({}));
        half.value_mut()["metadata"]["labels"] = json!({PROVIDER_LABEL: "infrastructure-aws"});
        assert_eq!(scope.narrow(&pods(), vec![half]).len(), 1);
    }
}
