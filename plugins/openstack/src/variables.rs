//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

/// Configuration of the cloud controller manager; not a variable of the template.
pub(crate) const CLOUD_CONF: TemplateVariable = TemplateVariable::required(
    "OPENSTACK_CLOUD_PROVIDER_CONF_B64",
    "Configuration of the cloud controller manager (cloud.conf), in base64",
)
.secret();

pub(crate) const ALL: &[TemplateVariable] = &[
    TemplateVariable::required("OPENSTACK_CLOUD", "Name of the cloud in clouds.yaml"),
    TemplateVariable::required("OPENSTACK_CLOUD_YAML_B64", "The file clouds.yaml, in base64")
        .secret(),
    TemplateVariable::required(
        "OPENSTACK_CLOUD_CACERT_B64",
        "Certificate authority of the cloud, in base64",
    ),
    CLOUD_CONF,
    TemplateVariable::required(
        "OPENSTACK_DNS_NAMESERVERS",
        "Name servers of the subnet that is created",
    ),
    TemplateVariable::required("OPENSTACK_FAILURE_DOMAIN", "Availability zone of the machines"),
    TemplateVariable::required(
        "OPENSTACK_CONTROL_PLANE_MACHINE_FLAVOR",
        "Flavor of control plane machines",
    ),
    TemplateVariable::required("OPENSTACK_NODE_MACHINE_FLAVOR", "Flavor of worker machines"),
    TemplateVariable::required("OPENSTACK_IMAGE_NAME", "Image of the machines"),
    TemplateVariable::required(
        "OPENSTACK_SSH_KEY_NAME",
        "Name of the SSH key pair of the machines",
    ),
    TemplateVariable::required("OPENSTACK_EXTERNAL_NETWORK_ID", "External network"),
];
