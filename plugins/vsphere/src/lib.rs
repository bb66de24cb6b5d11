//! Clusters on vSphere, by the template of the vSphere provider (CAPV).
//!
//! The template brings kube-vip, the cloud provider and the storage driver along, the latter two as
//! ClusterResourceSets. The plugin has never reached vSphere: its template and its kinds are
//! tested.

mod credentials;
mod variables;

use kubectl_pivot_plugin_api::templated::Templated;
use kubectl_pivot_plugin_api::{Probe, ProbeStage, export_plugin};

/// The plugin.
pub const VSPHERE: Templated = Templated {
    version: env!("CARGO_PKG_VERSION"),
    description: "Clusters on vSphere, by its provider's template (CAPV); never tried on a cloud",
    home_page: "https://github.com/kubernetes-sigs/cluster-api-provider-vsphere/tree/main/docs",
    controller: ("capv-system", "capv-controller-manager"),
    cluster_kind: "VSphereCluster",
    variables: variables::ALL,
    credentials: credentials::ALL,
    probes: || {
        let probe = Probe::daemon_set_ready("vsphere-cpi", "kube-system", "vsphere-cpi");
        vec![probe.at(&[ProbeStage::CniInstalled])]
    },
    notes: &["this plugin has never reached vSphere: try it with --dry-run first"],
    ..Templated::new("vsphere", "v1.14.0")
};

export_plugin!(infrastructure: VSPHERE);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};
    use serde_json::json;

    use super::VSPHERE;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&VSPHERE);
    }

    #[test]
    fn the_login_is_a_matter_of_the_environment() {
        let required = VSPHERE.variables().into_iter().filter(|variable| variable.required);
        let variables = required.map(|variable| (variable.name, json!("sample"))).collect();
        let request = ClusterRequest { variables, ..ClusterRequest::named("pivot") };
        let template = VSPHERE.render(&request).expect("complete").template.expect("it plans one");
        assert!(!template.variables.keys().any(|name| name.contains("PASSWORD")));
        let needed = VSPHERE.bootstrap(&request).expect("complete").credentials;
        assert!(needed.iter().any(|needed| needed.env == "VSPHERE_PASSWORD" && needed.required));
    }
}
