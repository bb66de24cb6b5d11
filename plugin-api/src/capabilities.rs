//! The limits of a plugin, which the host checks before it changes anything.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The limits of a plugin; without them it works with everything. Since protocol 1.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Capabilities {
    /// True if no cluster of this infrastructure can host a management cluster, for example because
    /// its machines run no pods.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub workload_only: bool,
    /// Kubernetes versions of the machines.
    #[serde(skip_serializing_if = "VersionRange::is_open")]
    pub kubernetes: VersionRange,
    /// Versions of Cluster API's core provider, for an infrastructure plugin.
    #[serde(skip_serializing_if = "VersionRange::is_open")]
    pub cluster_api: VersionRange,
}

/// Versions from one on, and below another one. A version has one to three numbers: `1.33` stands
/// for `v1.33.0`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct VersionRange {
    /// The first version, for example `1.31`. Empty: any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The first version that is too new, for example `1.37`. Empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub below: String,
}

impl VersionRange {
    /// The versions from `from` on, and below `below`; an empty text is no limit.
    pub fn new(from: &str, below: &str) -> Self {
        Self { from: from.to_owned(), below: below.to_owned() }
    }

    /// Says that every version is in the range.
    pub fn is_open(&self) -> bool {
        self.from.is_empty() && self.below.is_empty()
    }

    /// Says that a version is in the range. A version or a limit that is none is no reason to
    /// refuse; what follows the numbers, as in `v1.36.0-rc.1`, does not count.
    pub fn contains(&self, version: &str) -> bool {
        let Some(version) = numbers(version) else { return true };
        numbers(&self.from).is_none_or(|from| version >= from)
            && numbers(&self.below).is_none_or(|below| version < below)
    }

    /// The limit that is no version, if there is one.
    pub fn malformed(&self) -> Option<&str> {
        let mut limits = [self.from.as_str(), self.below.as_str()].into_iter();
        limits.find(|limit| !limit.is_empty() && numbers(limit).is_none())
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from.as_str(), self.below.as_str()) {
            ("", "") => f.write_str("any version"),
            (from, "") => write!(f, "{from} or newer"),
            ("", below) => write!(f, "older than {below}"),
            (from, below) => write!(f, "{from} or newer, and older than {below}"),
        }
    }
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let bare = version.strip_prefix('v').unwrap_or(version);
    let core = bare.split(['-', '+']).next()?;
    let mut numbers = [0; 3];
    for (at, part) in core.split('.').enumerate() {
        *numbers.get_mut(at)? = part.parse().ok()?;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_begins_with_one_version_and_ends_before_another() {
        let range = VersionRange::new("1.31", "v1.37");
        for (version, is_in) in [
            ("v1.30.9", false),
            ("v1.31.0", true),
            ("1.36.5", true),
            ("v1.36.0-rc.1", true),
            ("v1.37.0", false),
            ("latest", true),
        ] {
            assert_eq!(range.contains(version), is_in, "{version}");
        }
        assert!(VersionRange::default().contains("v0.1.0"));
        assert_eq!(range.to_string(), "1.31 or newer, and older than v1.37");
    }

    #[test]
    fn limits_that_are_no_versions_are_found() {
        assert_eq!(VersionRange::new("1.31", "").malformed(), None);
        assert_eq!(VersionRange::new("1.31", "new").malformed(), Some("new"));
        assert_eq!(VersionRange::new("1.2.3.4", "").malformed(), Some("1.2.3.4"));
    }

    #[test]
    fn no_limit_is_no_word() {
        let text = serde_json::to_string(&Capabilities::default()).expect("plain data");
        assert_eq!(text, "{}");
    }
}
