//! Variables of the provider's own cluster template.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required("AZURE_LOCATION", "Location of the cluster, for example centralus"),
    StubVariable::required(
        "AZURE_CONTROL_PLANE_MACHINE_TYPE",
        "Size of control plane machines, for example Standard_D2s_v3",
    ),
    StubVariable::required(
        "AZURE_NODE_MACHINE_TYPE",
        "Size of worker machines, for example Standard_D2s_v3",
    ),
    StubVariable::required("AZURE_SUBSCRIPTION_ID", "Subscription that pays"),
    StubVariable::optional(
        "AZURE_RESOURCE_GROUP",
        "Resource group; the name of the cluster if absent",
    ),
    StubVariable::required("CLUSTER_IDENTITY_NAME", "Name of the AzureClusterIdentity"),
    StubVariable::required(
        "AZURE_CLUSTER_IDENTITY_SECRET_NAME",
        "Secret with the password of the service principal",
    ),
    StubVariable::required("AZURE_CLUSTER_IDENTITY_SECRET_NAMESPACE", "Namespace of that Secret"),
];
