//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

pub(crate) const ALL: &[TemplateVariable] = &[
    TemplateVariable::required("VSPHERE_SERVER", "Name or address of the vCenter server"),
    TemplateVariable::required("VSPHERE_DATACENTER", "Datacenter of the machines"),
    TemplateVariable::required("VSPHERE_DATASTORE", "Datastore of the machines"),
    TemplateVariable::required("VSPHERE_NETWORK", "Network of the machines"),
    TemplateVariable::required("VSPHERE_RESOURCE_POOL", "Resource pool of the machines"),
    TemplateVariable::required("VSPHERE_FOLDER", "Folder of the machines"),
    TemplateVariable::required("VSPHERE_TEMPLATE", "Template of the machines"),
    TemplateVariable::required(
        "VSPHERE_SSH_AUTHORIZED_KEY",
        "Public SSH key that may log in to the machines",
    ),
    TemplateVariable::required(
        "VSPHERE_TLS_THUMBPRINT",
        "Thumbprint of the vCenter server's certificate",
    ),
    TemplateVariable::optional(
        "VSPHERE_STORAGE_POLICY",
        "Storage policy of the disks; for none set it to an empty text in clusterctl.yaml",
    ),
    TemplateVariable::required("CONTROL_PLANE_ENDPOINT_IP", "Free address for the API server"),
    TemplateVariable::optional("CONTROL_PLANE_ENDPOINT_PORT", "Port of the API server"),
    TemplateVariable::optional("VIP_NETWORK_INTERFACE", "Interface that gets that address"),
    TemplateVariable::required(
        "CPI_IMAGE_K8S_VERSION",
        "Version of the cloud provider's image, for example v1.33.0",
    ),
];
