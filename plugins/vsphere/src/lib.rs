//! Stub of a vSphere infrastructure plugin.
//!
//! Lists the real providers, variables and credentials of the vSphere provider (CAPV). Rendering
//! refuses and says what to do instead.

mod credentials;
mod variables;

use kubectl_pivot_plugin_api::export_plugin;
use kubectl_pivot_plugin_api::stub::Stub;

/// The plugin.
pub const VSPHERE: Stub = Stub {
    name: "vsphere",
    provider: "the vSphere provider (CAPV)",
    version: env!("CARGO_PKG_VERSION"),
    home_page: "https://github.com/kubernetes-sigs/cluster-api-provider-vsphere",
    variables: variables::ALL,
    credentials: credentials::ALL,
    note: "",
};

export_plugin!(infrastructure: VSPHERE);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};

    use super::VSPHERE;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&VSPHERE);
    }

    #[test]
    fn refuses_to_render_and_says_what_to_do() {
        let error = VSPHERE.render(&ClusterRequest::named("pivot")).expect_err("it is a stub");
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains("--cluster-manifest FILE"), "{hint}");
    }
}
