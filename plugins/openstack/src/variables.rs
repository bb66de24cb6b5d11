//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required(
        "OPENSTACK_DNS_NAMESERVERS",
        "Name servers of the subnet that is created",
    ),
    StubVariable::required("OPENSTACK_FAILURE_DOMAIN", "Availability zone of the machines"),
    StubVariable::required(
        "OPENSTACK_CONTROL_PLANE_MACHINE_FLAVOR",
        "Flavor of control plane machines",
    ),
    StubVariable::required("OPENSTACK_NODE_MACHINE_FLAVOR", "Flavor of worker machines"),
    StubVariable::required("OPENSTACK_IMAGE_NAME", "Image of the machines"),
    StubVariable::required("OPENSTACK_SSH_KEY_NAME", "Name of the SSH key pair of the machines"),
    StubVariable::required("OPENSTACK_EXTERNAL_NETWORK_ID", "External network"),
];
