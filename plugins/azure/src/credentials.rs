//! Credentials of the provider's controllers.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required("AZURE_TENANT_ID", "Tenant of the service principal"),
    StubVariable::required("AZURE_CLIENT_ID", "Application ID of the service principal"),
    StubVariable::required("AZURE_CLIENT_SECRET", "Password of the service principal"),
];
