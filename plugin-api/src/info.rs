//! The description of a plugin.

use serde::{Deserialize, Serialize};

use crate::capabilities::Capabilities;
use crate::protocol::{Compatibility, ProtocolVersion, compatibility};

/// Identity of a plugin, the answer to the method `info`.
///
/// Build it with `PluginInfo { name: …, ..PluginInfo::default() }`: fields are added in minor
/// versions of the protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct PluginInfo {
    /// Name that users type, for example `docker`: lowercase letters, digits and hyphens.
    pub name: String,
    /// Kind of the plugin. The export macro fills it in.
    pub kind: PluginKind,
    /// Version of the plugin, usually `env!("CARGO_PKG_VERSION")`.
    pub version: String,
    /// Version of the messages the plugin was built with. The export macro fills it in.
    pub protocol: ProtocolVersion,
    /// Maturity of the plugin.
    pub maturity: Maturity,
    /// One sentence for `plugin list`.
    pub description: String,
    /// Address of further documentation: `https`, or empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home_page: String,
    /// Name of the Cluster API provider that an infrastructure plugin stands for, as in the
    /// inventory of `clusterctl` (`providerName`, for example `docker`). Empty for CNI plugins.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The oldest protocol of a host that the plugin can work with, for example 1.3 because it
    /// needs what was added there. Absent if every host of its major version will do. Since
    /// protocol 1.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_host: Option<ProtocolVersion>,
    /// The limits of the plugin. Since protocol 1.1.
    #[serde(skip_serializing_if = "is_without_limits")]
    pub capabilities: Capabilities,
}

fn is_without_limits(capabilities: &Capabilities) -> bool {
    *capabilities == Capabilities::default()
}

impl PluginInfo {
    /// Says whether a host that speaks `host` can use the plugin.
    pub fn compatibility(&self, host: ProtocolVersion) -> Compatibility {
        match self.requires_host {
            Some(required) if required.major != host.major || required > host => {
                Compatibility::Refused
            }
            _ => compatibility(host, self.protocol),
        }
    }
}

/// Kinds of plugins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PluginKind {
    /// Machines and networks to put clusters on.
    Infrastructure,
    /// A network between the pods of a cluster.
    Cni,
    /// A kind from a newer version of this interface.
    #[default]
    #[serde(other)]
    Unknown,
}

impl PluginKind {
    /// The name used in messages and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Infrastructure => "infrastructure",
            Self::Cni => "cni",
            Self::Unknown => "unknown",
        }
    }
}

/// Maturity of a plugin, in the judgement of its author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Maturity {
    /// Describes a provider and renders nothing.
    Stub,
    /// May change or fail.
    Alpha,
    /// Works, and may change.
    Beta,
    /// Works, and changes only compatibly.
    Stable,
    /// Not said, or a word from a newer version of this interface.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Maturity {
    /// The name used in messages and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stub => "stub",
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Stable => "stable",
            Self::Unknown => "unknown",
        }
    }
}

/// Returns whether a text can be the name of a plugin, a variable or a probe: lowercase words joined
/// by hyphens, at most 63 characters.
pub fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    name.len() <= 63 && name.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_words_and_hyphens() {
        for (name, is_usable) in [
            ("in-memory", true),
            ("k3s", true),
            ("", false),
            ("a--b", false),
            ("My", false),
            ("../../.bashrc", false),
            ("a\u{1b}[2J", false),
        ] {
            assert_eq!(is_name(name), is_usable, "{name}");
        }
    }

    #[test]
    fn a_plugin_may_require_a_host() {
        let version = |minor| ProtocolVersion { major: 1, minor };
        for (requires_host, host, expected) in [
            (None, 0, Compatibility::PluginNewer),
            (Some(version(1)), 0, Compatibility::Refused),
            (Some(version(1)), 1, Compatibility::PluginNewer),
            (Some(version(1)), 2, Compatibility::Full),
            (Some(ProtocolVersion { major: 0, minor: 9 }), 2, Compatibility::Refused),
        ] {
            let info = PluginInfo { protocol: version(2), requires_host, ..PluginInfo::default() };
            assert_eq!(info.compatibility(version(host)), expected, "{requires_host:?}, {host}");
        }
    }
}
