//! Credentials of the provider's controllers.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

pub(crate) const ALL: &[TemplateVariable] = &[TemplateVariable::required(
    "AWS_B64ENCODED_CREDENTIALS",
    "Output of `clusterawsadm bootstrap credentials encode-as-profile`",
)];
