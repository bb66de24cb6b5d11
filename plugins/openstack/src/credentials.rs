//! Credentials of the provider's controllers.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required("OPENSTACK_CLOUD", "Name of the cloud in clouds.yaml"),
    StubVariable::required("OPENSTACK_CLOUD_YAML_B64", "The file clouds.yaml, in base64"),
    StubVariable::optional(
        "OPENSTACK_CLOUD_PROVIDER_CONF_B64",
        "Configuration of the external cloud provider, in base64",
    ),
    StubVariable::optional(
        "OPENSTACK_CLOUD_CACERT_B64",
        "Certificate authority of the cloud, in base64",
    ),
];
