//! Versions, method names, and who may talk to whom.
//!
//! # Evolution rules
//!
//! Two things cross the boundary, and each has its own rule.
//!
//! 1. **The root module** ([`kubectl_pivot_plugin_abi`]) is frozen, in a crate of its own that is
//!    and stays 1.0.0. A plugin of any age passes the layout check, whatever the version of this
//!    crate. [`ABI_LEVEL`] says what the functions in it mean.
//! 2. **The messages** (JSON) evolve by the rules of semantic versioning, [`PROTOCOL`]:
//!    - *minor*: a new method; a new field with a default; a new value of an enum. A reader
//!      ignores fields that it does not know, reads enum values that it does not know as
//!      `Unknown`, and fills in fields that are missing. A plugin that does not know a method
//!      answers [`crate::ErrorCode::UnknownMethod`], and the host continues as if the plugin had
//!      nothing to say.
//!      The request says in `host` which version the host speaks, so that a newer plugin can adapt
//!      ([`Host`]); a plugin that cannot do without something newer says so in
//!      [`requires_host`](crate::PluginInfo::requires_host), and an older host refuses it.
//!    - *major*: anything else, for example a field that is removed, renamed, or changes its
//!      type or meaning. The host refuses a plugin of another major version.
//!
//! The version of the messages is not that of the program, nor that of this crate.
//!
//! | protocol | since | added |
//! |---|---|---|
//! | 1.0 | | all methods |
//! | 1.1 | 0.1.0 | `host` in every request, `requiresHost` and `capabilities` in the answer to `info`, `replacesKubeProxy` in the answer to `plan`, `ipam` and `runtimeExtension` in the answer to `providers` |
//! | 1.2 | 0.1.0 | the methods `addons` and `reach`, `template` in the answer to `render` |
//! | 1.3 | 0.1.0 | the method `move` |

use std::fmt;
use std::str::FromStr;

pub use kubectl_pivot_plugin_abi::ABI_LEVEL;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Version of the messages in this crate.
pub const PROTOCOL: ProtocolVersion = ProtocolVersion { major: 1, minor: 3 };

/// The first version of the messages, of hosts that do not say which one they speak.
const FIRST: ProtocolVersion = ProtocolVersion { major: 1, minor: 0 };

/// The program that asks. The host adds it to every request, as `host`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Host {
    /// Version of the messages that it speaks.
    pub protocol: ProtocolVersion,
    /// Version of the program, for messages only. Empty if the host does not say it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
}

impl Default for Host {
    /// A host of the time when requests did not say it.
    fn default() -> Self {
        Self { protocol: FIRST, version: String::new() }
    }
}

impl Host {
    /// Says that the host knows what was added in a minor version.
    pub fn speaks(&self, major: u32, minor: u32) -> bool {
        self.protocol.major == major && self.protocol.minor >= minor
    }
}

/// Method names.
pub mod method {
    /// Only `host` -> [`crate::PluginInfo`]; both kinds of plugin.
    pub const INFO: &str = "info";
    /// Only `host` -> array of [`crate::Variable`]; both kinds of plugin.
    pub const VARIABLES: &str = "variables";
    /// [`crate::ClusterRequest`] -> [`crate::ProvidersToInit`]; infrastructure.
    pub const PROVIDERS: &str = "providers";
    /// [`crate::ClusterRequest`] -> [`crate::BootstrapRequirements`]; infrastructure.
    pub const BOOTSTRAP: &str = "bootstrap";
    /// [`crate::ClusterRequest`] -> [`crate::Manifests`]; infrastructure.
    pub const RENDER: &str = "render";
    /// [`crate::ClusterRequest`] -> [`crate::CniChoice`]; infrastructure.
    pub const CNI: &str = "cni";
    /// [`crate::ClusterRequest`] -> [`crate::Reach`]; infrastructure. Since protocol 1.2.
    pub const REACH: &str = "reach";
    /// [`crate::AddonsRequest`] -> [`crate::Addons`]; infrastructure. Since protocol 1.2.
    pub const ADDONS: &str = "addons";
    /// [`crate::MoveRequest`] -> [`crate::MoveKnowledge`]; infrastructure. Since protocol 1.3.
    pub const MOVE: &str = "move";
    /// [`crate::CniRequest`] -> [`crate::CniInstall`]; CNI.
    pub const PLAN: &str = "plan";
    /// [`crate::ProbesRequest`] (infrastructure) or [`crate::CniRequest`] (CNI) -> array of
    /// [`crate::Probe`].
    pub const PROBES: &str = "probes";
}

/// `major.minor` of the messages, written as a string such as `"1.0"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtocolVersion {
    /// Changes when an old reader would misunderstand.
    pub major: u32,
    /// Changes when something was added.
    pub minor: u32,
}

/// Compatibility of a plugin with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compatibility {
    /// Same version, or the plugin is older.
    Full,
    /// The plugin is newer: what the host does not know is ignored.
    PluginNewer,
    /// Another major version: the host must refuse.
    Refused,
}

/// Returns whether a host that speaks `host` can use a plugin that speaks `plugin`.
pub fn compatibility(host: ProtocolVersion, plugin: ProtocolVersion) -> Compatibility {
    if host.major != plugin.major {
        Compatibility::Refused
    } else if plugin.minor > host.minor {
        Compatibility::PluginNewer
    } else {
        Compatibility::Full
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ProtocolVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        let (major, minor) = parsed.ok_or(format!("`{text}` is not of the form major.minor"))?;
        Ok(Self { major, minor })
    }
}

impl Serialize for ProtocolVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProtocolVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ProtocolVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProtocolVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+\\.[0-9]+$",
            "description": "`major.minor` of the messages."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_does_not_say_it_speaks_the_first_version() {
        let host: Host = serde_json::from_str("{}").expect("nothing is required");
        assert!(host.speaks(1, 0) && !host.speaks(1, 1) && !host.speaks(2, 0));
        let text = r#"{"protocol":"1.4","version":"3.0.0","mood":"good"}"#;
        let host: Host = serde_json::from_str(text).expect("the future is tolerated");
        assert!(host.speaks(1, 4) && !host.speaks(1, 5) && !host.speaks(0, 9));
    }

    #[test]
    fn only_another_major_version_is_refused() {
        let version = |major, minor| ProtocolVersion { major, minor };
        for (host, plugin, expected) in [
            (version(1, 0), version(1, 0), Compatibility::Full),
            (version(1, 4), version(1, 0), Compatibility::Full),
            (version(1, 0), version(1, 4), Compatibility::PluginNewer),
            (version(2, 0), version(1, 9), Compatibility::Refused),
            (version(1, 9), version(2, 0), Compatibility::Refused),
        ] {
            assert_eq!(compatibility(host, plugin), expected, "host {host}, plugin {plugin}");
        }
    }

    #[test]
    fn versions_are_strings_in_messages() {
        let version = ProtocolVersion { major: 1, minor: 12 };
        let text = serde_json::to_string(&version).expect("a version is plain data");
        assert_eq!(text, "\"1.12\"");
        assert_eq!(serde_json::from_str::<ProtocolVersion>(&text).ok(), Some(version));
        assert!(serde_json::from_str::<ProtocolVersion>("\"1\"").is_err());
    }
}
