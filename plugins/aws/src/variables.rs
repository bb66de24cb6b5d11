//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required("AWS_REGION", "Region of the cluster"),
    StubVariable::required("AWS_SSH_KEY_NAME", "Name of the SSH key pair of the machines"),
    StubVariable::required(
        "AWS_CONTROL_PLANE_MACHINE_TYPE",
        "Instance type of control plane machines, for example t3.large",
    ),
    StubVariable::required(
        "AWS_NODE_MACHINE_TYPE",
        "Instance type of worker machines, for example t3.large",
    ),
];
