//! Kinds that this program handles by name, whatever an API server says of them.

use super::resource::ResourceType;

/// ConfigMaps.
pub fn config_map() -> ResourceType {
    ResourceType::core("ConfigMap", "configmaps")
}

/// CustomResourceDefinitions.
pub fn crd() -> ResourceType {
    let api_version = "apiextensions.k8s.io/v1";
    ResourceType::new(api_version, "CustomResourceDefinition", "customresourcedefinitions", false)
}

/// Deployments.
pub fn deployment() -> ResourceType {
    ResourceType::new("apps/v1", "Deployment", "deployments", true)
}

/// Events.
pub fn event() -> ResourceType {
    ResourceType::core("Event", "events")
}

/// Namespaces.
pub fn namespace() -> ResourceType {
    ResourceType::new("v1", "Namespace", "namespaces", false)
}

/// Nodes.
pub fn node() -> ResourceType {
    ResourceType::new("v1", "Node", "nodes", false)
}

/// Pods.
pub fn pod() -> ResourceType {
    ResourceType::core("Pod", "pods")
}

/// Entries of clusterctl's inventory.
pub fn provider() -> ResourceType {
    ResourceType::new("clusterctl.cluster.x-k8s.io/v1alpha3", "Provider", "providers", true)
}

/// Secrets.
pub fn secret() -> ResourceType {
    ResourceType::core("Secret", "secrets")
}
