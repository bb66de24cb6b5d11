//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required("GCP_REGION", "Region of the cluster"),
    StubVariable::required("GCP_PROJECT", "Project of the cluster"),
    StubVariable::required(
        "GCP_CONTROL_PLANE_MACHINE_TYPE",
        "Machine type of the control plane, for example n1-standard-2",
    ),
    StubVariable::required(
        "GCP_NODE_MACHINE_TYPE",
        "Machine type of the workers, for example n1-standard-2",
    ),
    StubVariable::required("GCP_NETWORK_NAME", "Network of the machines, for example default"),
    StubVariable::required(
        "IMAGE_ID",
        "Image built with image-builder, as projects/PROJECT/global/images/IMAGE",
    ),
];
