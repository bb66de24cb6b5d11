//! Stub of an Azure infrastructure plugin.
//!
//! Lists the real providers, variables and credentials of the Azure provider (CAPZ). Rendering
//! refuses and says what to do instead.

mod credentials;
mod variables;

use kubectl_pivot_plugin_api::export_plugin;
use kubectl_pivot_plugin_api::stub::Stub;

/// The plugin.
pub const AZURE: Stub = Stub {
    name: "azure",
    provider: "the Azure provider (CAPZ)",
    version: env!("CARGO_PKG_VERSION"),
    home_page: "https://capz.sigs.k8s.io/",
    variables: variables::ALL,
    credentials: credentials::ALL,
    note: "the Secret of the cluster identity must exist in the management cluster before",
};

export_plugin!(infrastructure: AZURE);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};

    use super::AZURE;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&AZURE);
    }

    #[test]
    fn refuses_to_render_and_says_what_to_do() {
        let error = AZURE.render(&ClusterRequest::named("pivot")).expect_err("it is a stub");
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains("--cluster-manifest FILE"), "{hint}");
    }
}
