//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required("VSPHERE_SERVER", "Name or address of the vCenter server"),
    StubVariable::required("VSPHERE_DATACENTER", "Datacenter of the machines"),
    StubVariable::required("VSPHERE_DATASTORE", "Datastore of the machines"),
    StubVariable::required("VSPHERE_NETWORK", "Network of the machines"),
    StubVariable::required("VSPHERE_RESOURCE_POOL", "Resource pool of the machines"),
    StubVariable::required("VSPHERE_FOLDER", "Folder of the machines"),
    StubVariable::required("VSPHERE_TEMPLATE", "Template of the machines"),
    StubVariable::required(
        "VSPHERE_SSH_AUTHORIZED_KEY",
        "Public SSH key that may log in to the machines",
    ),
    StubVariable::required(
        "VSPHERE_TLS_THUMBPRINT",
        "Thumbprint of the vCenter server's certificate",
    ),
    StubVariable::optional("VSPHERE_STORAGE_POLICY", "Storage policy of the disks"),
    StubVariable::required("CONTROL_PLANE_ENDPOINT_IP", "Free address for the API server"),
];
