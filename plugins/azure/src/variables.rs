//! Variables of the provider's own cluster template, and the password of its identity.

use kubectl_pivot_plugin_api::templated::TemplateVariable;

/// Password of the service principal.
pub(crate) const CLIENT_SECRET: TemplateVariable =
    TemplateVariable::required("AZURE_CLIENT_SECRET", "Password of the service principal").secret();
/// Name of the identity.
pub(crate) const IDENTITY: TemplateVariable =
    TemplateVariable::required("CLUSTER_IDENTITY_NAME", "Name of the AzureClusterIdentity");

pub(crate) const ALL: &[TemplateVariable] = &[
    TemplateVariable::required("AZURE_LOCATION", "Location of the cluster, for example centralus"),
    TemplateVariable::required(
        "AZURE_CONTROL_PLANE_MACHINE_TYPE",
        "Size of control plane machines, for example Standard_D2s_v3",
    ),
    TemplateVariable::required(
        "AZURE_NODE_MACHINE_TYPE",
        "Size of worker machines, for example Standard_D2s_v3",
    ),
    TemplateVariable::required("AZURE_SUBSCRIPTION_ID", "Subscription that pays"),
    TemplateVariable::required("AZURE_TENANT_ID", "Tenant of the service principal"),
    TemplateVariable::required(
        "AZURE_CLIENT_ID_USER_ASSIGNED_IDENTITY",
        "Application ID of the service principal",
    ),
    CLIENT_SECRET,
    IDENTITY,
    TemplateVariable::optional(
        "AZURE_RESOURCE_GROUP",
        "Resource group; the name of the cluster if absent",
    ),
    TemplateVariable::optional(
        "AZURE_VNET_NAME",
        "Virtual network; a name after the cluster if absent",
    ),
    TemplateVariable::optional(
        "AZURE_SSH_PUBLIC_KEY_B64",
        "Public SSH key that may log in to the machines, in base64",
    ),
    TemplateVariable::optional(
        "CI_RG",
        "Resource group of the identity that control plane machines have",
    ),
    TemplateVariable::optional("USER_IDENTITY", "The identity that control plane machines have"),
];
