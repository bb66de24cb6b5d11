//! Clusters on Azure, by the template of the Azure provider (CAPZ).
//!
//! The controllers log in with a service principal: a bootstrap cluster has no identity of its own
//! that Azure would trust. The plugin has never reached Azure: its template and its kinds are
//! tested.

mod addons;
mod identity;
mod variables;

use kubectl_pivot_plugin_api::export_plugin;
use kubectl_pivot_plugin_api::templated::{TemplateAddon, Templated};

/// The plugin.
pub const AZURE: Templated = Templated {
    version: env!("CARGO_PKG_VERSION"),
    description: "Clusters on Azure, by its provider's template (CAPZ); never tried on a cloud",
    home_page: "https://capz.sigs.k8s.io/",
    controller: ("capz-system", "capz-controller-manager"),
    cluster_kind: "AzureCluster",
    variables: variables::ALL,
    cni: "calico",
    patches: identity::patches,
    objects: identity::objects,
    addons: &[
        TemplateAddon { name: "cloud-controller-manager", build: addons::cloud_controller_manager },
        TemplateAddon { name: "disk-storage", build: addons::disk_storage },
    ],
    notes: &["this plugin has never reached Azure: try it with --dry-run first"],
    ..Templated::new("azure", "v1.23.0")
};

export_plugin!(infrastructure: AZURE);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{AddonsRequest, ClusterRequest, InfrastructureProvider as _};
    use serde_json::{Map, Value, json};

    use super::AZURE;

    fn complete() -> Map<String, Value> {
        let required = AZURE.variables().into_iter().filter(|variable| variable.required);
        required.map(|variable| (variable.name, json!("sample"))).collect()
    }

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&AZURE);
    }

    #[test]
    fn the_password_is_in_a_secret_that_moves_and_nowhere_else() {
        let mut variables = complete();
        variables.insert("azure-client-secret".to_owned(), json!("s3cret-word"));
        let request = ClusterRequest { variables, ..ClusterRequest::named("pivot") };
        let manifests = AZURE.render(&request).expect("complete");
        let [secret] = &manifests.objects[..] else { panic!("one object") };
        assert_eq!(secret["stringData"]["clientSecret"], "s3cret-word");
        assert_eq!(
            secret["metadata"]["labels"]["clusterctl.cluster.x-k8s.io/move-hierarchy"],
            "true"
        );
        let template = manifests.template.expect("it plans one");
        let patches = serde_json::to_string(&template.patches).expect("plain data");
        assert!(!patches.contains("s3cret-word"), "{patches}");
        assert!(patches.contains("ServicePrincipal"), "{patches}");
    }

    #[test]
    fn parts_can_be_left_out() {
        let mut request = AddonsRequest { variables: complete(), ..AddonsRequest::default() };
        assert_eq!(AZURE.addons(&request).expect("complete").addons.len(), 2);
        request.variables.insert("addons".to_owned(), json!("disk-storage"));
        let addons = AZURE.addons(&request).expect("complete").addons;
        assert_eq!(addons.iter().map(|addon| &*addon.name).collect::<Vec<_>>(), ["disk-storage"]);
        request.variables.insert("addons".to_owned(), json!(""));
        assert!(AZURE.addons(&request).expect("complete").addons.is_empty());
        request.variables.insert("addons".to_owned(), json!("disk"));
        let error = AZURE.addons(&request).expect_err("there is no such part");
        assert!(error.message.contains("cloud-controller-manager, disk-storage"), "{error}");
    }
}
