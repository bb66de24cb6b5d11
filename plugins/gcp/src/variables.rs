//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

/// Image of the cloud controller manager; not a variable of the template.
pub(crate) const CCM_IMAGE: TemplateVariable = TemplateVariable::optional(
    "CCM_IMAGE",
    "Image of the cloud controller manager; one that the plugin knows if absent",
);

pub(crate) const ALL: &[TemplateVariable] = &[
    TemplateVariable::required("GCP_REGION", "Region of the cluster"),
    TemplateVariable::required("GCP_PROJECT", "Project of the cluster"),
    TemplateVariable::required(
        "GCP_CONTROL_PLANE_MACHINE_TYPE",
        "Machine type of the control plane, for example n1-standard-2",
    ),
    TemplateVariable::required(
        "GCP_NODE_MACHINE_TYPE",
        "Machine type of the workers, for example n1-standard-2",
    ),
    TemplateVariable::required("GCP_NETWORK_NAME", "Network of the machines, for example default"),
    TemplateVariable::required(
        "IMAGE_ID",
        "Image built with image-builder, as projects/PROJECT/global/images/IMAGE",
    ),
    CCM_IMAGE,
];
