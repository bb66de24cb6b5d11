//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

pub(crate) const ALL: &[TemplateVariable] = &[
    TemplateVariable::required("AWS_REGION", "Region of the cluster"),
    TemplateVariable::required("AWS_SSH_KEY_NAME", "Name of the SSH key pair of the machines"),
    TemplateVariable::required(
        "AWS_CONTROL_PLANE_MACHINE_TYPE",
        "Instance type of control plane machines, for example t3.large",
    ),
    TemplateVariable::required(
        "AWS_NODE_MACHINE_TYPE",
        "Instance type of worker machines, for example t3.large",
    ),
    TemplateVariable::optional(
        "KUBERNETES_AWS_CCM_VERSION",
        "Version of the cloud controller manager; that of the template if absent",
    ),
];
