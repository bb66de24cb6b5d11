//! The place from which a plugin was installed by name, and all that was trusted with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::file::Sha256;

/// A plugin of a registry, as it was when it was trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pin {
    /// Address of it, without a version.
    pub source: String,
    /// Version of the plugin.
    pub version: String,
    /// Digest of the artifact, with the libraries and programs of all platforms.
    pub digest: String,
    /// Hashes of the libraries and programs, by platform.
    pub files: BTreeMap<String, Sha256>,
    /// Public key of the publisher, by whom later versions have to be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}
