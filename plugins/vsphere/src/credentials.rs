//! Credentials of the provider's controllers.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required("VSPHERE_USERNAME", "User of the vCenter server"),
    StubVariable::required("VSPHERE_PASSWORD", "Password of that user"),
];
