//! Stub of an OpenStack infrastructure plugin.
//!
//! Lists the real providers, variables and credentials of the OpenStack provider (CAPO). Rendering
//! refuses and says what to do instead.

mod credentials;
mod variables;

use kubectl_pivot_plugin_api::export_plugin;
use kubectl_pivot_plugin_api::stub::Stub;

/// The plugin.
pub const OPENSTACK: Stub = Stub {
    name: "openstack",
    provider: "the OpenStack provider (CAPO)",
    version: env!("CARGO_PKG_VERSION"),
    home_page: "https://cluster-api-openstack.sigs.k8s.io/",
    variables: variables::ALL,
    credentials: credentials::ALL,
    note: "the provider needs openstack-resource-controller in the management cluster since its version 0.12",
};

export_plugin!(infrastructure: OPENSTACK);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};

    use super::OPENSTACK;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&OPENSTACK);
    }

    #[test]
    fn refuses_to_render_and_says_what_to_do() {
        let error = OPENSTACK.render(&ClusterRequest::named("pivot")).expect_err("it is a stub");
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains("--cluster-manifest FILE"), "{hint}");
    }
}
