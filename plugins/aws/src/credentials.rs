//! Credentials of the provider's controllers.

use kubectl_pivot_plugin_api::stub::StubVariable;

pub(crate) const ALL: &[StubVariable] = &[
    StubVariable::required(
        "AWS_B64ENCODED_CREDENTIALS",
        "Output of `clusterawsadm bootstrap credentials encode-as-profile`",
    ),
    StubVariable::optional("AWS_ACCESS_KEY_ID", "Access key that `clusterawsadm` encodes"),
    StubVariable::optional("AWS_SECRET_ACCESS_KEY", "Secret key that `clusterawsadm` encodes"),
    StubVariable::optional("AWS_SESSION_TOKEN", "Session token, with multi-factor authentication"),
];
