//! Clusters on OpenStack, by the template of the OpenStack provider (CAPO).
//!
//! The plugin has never reached an OpenStack: its template and its kinds are tested.

mod addons;
mod variables;

use kubectl_pivot_plugin_api::export_plugin;
use kubectl_pivot_plugin_api::templated::{TemplateAddon, Templated};

/// The plugin.
pub const OPENSTACK: Templated = Templated {
    version: env!("CARGO_PKG_VERSION"),
    description: "Clusters on OpenStack, by its provider's template (CAPO); never tried on a cloud",
    home_page: "https://cluster-api-openstack.sigs.k8s.io/",
    controller: ("capo-system", "capo-controller-manager"),
    cluster_kind: "OpenStackCluster",
    variables: variables::ALL,
    // The security groups of the template are open for the traffic of Calico.
    cni: "calico",
    addons: &[
        TemplateAddon { name: "cloud-config", build: addons::cloud_config },
        TemplateAddon { name: "cloud-controller-manager", build: addons::cloud_controller_manager },
        TemplateAddon { name: "block-storage", build: addons::block_storage },
    ],
    notes: &[
        "both clusters need openstack-resource-controller, which is no provider of clusterctl: \
         install it in the bootstrap cluster (--bootstrap existing) and in the target",
        "this plugin has never reached an OpenStack: try it with --dry-run first",
    ],
    ..Templated::new("openstack", "v0.13.0")
};

export_plugin!(infrastructure: OPENSTACK);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{AddonPlan, AddonsRequest, InfrastructureProvider as _};
    use serde_json::json;

    use super::OPENSTACK;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&OPENSTACK);
    }

    #[test]
    fn the_login_of_the_cloud_controller_manager_comes_first() {
        let required = OPENSTACK.variables().into_iter().filter(|variable| variable.required);
        let mut variables: serde_json::Map<_, _> =
            required.map(|variable| (variable.name, json!("sample"))).collect();
        variables.insert("openstack-cloud-provider-conf-b64".to_owned(), json!("W0dsb2JhbF0K"));
        let request = AddonsRequest { variables, ..AddonsRequest::default() };
        let addons = OPENSTACK.addons(&request).expect("complete").addons;
        let names: Vec<_> = addons.iter().map(|addon| addon.name.as_str()).collect();
        assert_eq!(names, ["cloud-config", "cloud-controller-manager", "block-storage"]);
        let AddonPlan::HelmChart(chart) = &addons[1].plan else { panic!("a chart") };
        assert_eq!(chart.values["secret"]["name"], "cloud-config");
    }
}
