//! Credentials of the provider's controllers.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

pub(crate) const ALL: &[TemplateVariable] = &[
    TemplateVariable::required("VSPHERE_USERNAME", "User of the vCenter server"),
    TemplateVariable::required("VSPHERE_PASSWORD", "Password of that user"),
];
