//! Credentials of the provider's controllers.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

pub(crate) const ALL: &[TemplateVariable] = &[TemplateVariable::required(
    "GCP_B64ENCODED_CREDENTIALS",
    "Key file of a service account, in base64 on one line",
)];
