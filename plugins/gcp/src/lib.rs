//! Clusters on Google Cloud, by the template of the GCP provider (CAPG).
//!
//! The template leaves the cloud to the kubelet, which Kubernetes 1.31 and newer cannot do any
//! more. So the plugin changes that, and installs the cloud controller manager. It has never
//! reached Google Cloud: its template and its kinds are tested.

mod addons;
mod credentials;
mod external;
mod variables;

use kubectl_pivot_plugin_api::export_plugin;
use kubectl_pivot_plugin_api::templated::{TemplateAddon, Templated};

/// The plugin.
pub const GCP: Templated = Templated {
    version: env!("CARGO_PKG_VERSION"),
    description: "Clusters on Google Cloud, by its provider's template (CAPG); never tried on a \
        cloud",
    home_page: "https://cluster-api-gcp.sigs.k8s.io/",
    controller: ("capg-system", "capg-controller-manager"),
    cluster_kind: "GCPCluster",
    variables: variables::ALL,
    credentials: credentials::ALL,
    patches: external::patches,
    addons: &[TemplateAddon {
        name: "cloud-controller-manager",
        build: addons::cloud_controller_manager,
    }],
    notes: &[
        "the machines need a NAT gateway: the provider creates none",
        "this plugin has never reached Google Cloud: try it with --dry-run first",
    ],
    ..Templated::new("gcp", "v1.13.1")
};

export_plugin!(infrastructure: GCP);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{AddonPlan, AddonsRequest, InfrastructureProvider as _};
    use serde_json::json;

    use super::GCP;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&GCP);
    }

    #[test]
    fn the_cloud_controller_manager_knows_the_ranges_of_the_cluster() {
        let required = GCP.variables().into_iter().filter(|variable| variable.required);
        let variables = required.map(|variable| (variable.name, json!("sample"))).collect();
        let mut request = AddonsRequest { variables, ..AddonsRequest::default() };
        request.cluster.pod_cidrs = vec!["10.1.0.0/16".to_owned()];
        let [addon] = &GCP.addons(&request).expect("complete").addons[..] else { panic!("one") };
        let AddonPlan::Manifests { objects } = &addon.plan else { panic!("manifests") };
        let text = serde_json::to_string(objects).expect("plain data");
        assert!(text.contains("--cluster-cidr=10.1.0.0/16"), "{text}");
    }
}
