//! Stub of a Google Cloud infrastructure plugin.
//!
//! Lists the real providers, variables and credentials of the Google Cloud provider (CAPG).
//! Rendering refuses and says what to do instead.

mod credentials;
mod variables;

use kubectl_pivot_plugin_api::export_plugin;
use kubectl_pivot_plugin_api::stub::Stub;

/// The plugin.
pub const GCP: Stub = Stub {
    name: "gcp",
    provider: "the Google Cloud provider (CAPG)",
    version: env!("CARGO_PKG_VERSION"),
    home_page: "https://cluster-api-gcp.sigs.k8s.io/",
    variables: variables::ALL,
    credentials: credentials::ALL,
    note: "",
};

export_plugin!(infrastructure: GCP);

#[cfg(test)]
mod tests {
    use kubectl_pivot_plugin_api::{ClusterRequest, InfrastructureProvider as _};

    use super::GCP;

    #[test]
    fn conforms() {
        kubectl_pivot_plugin_api::testing::assert_infrastructure(&GCP);
    }

    #[test]
    fn refuses_to_render_and_says_what_to_do() {
        let error = GCP.render(&ClusterRequest::named("pivot")).expect_err("it is a stub");
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains("--cluster-manifest FILE"), "{hint}");
    }
}
