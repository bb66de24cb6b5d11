//! Versions of Cluster API that a cluster of a sandbox can have.

use std::fmt;
use std::str::FromStr;

use semver::Version;

use super::crds;

/// The older minor versions whose Go modules are laid out as this program knows.
const OLDER: std::ops::RangeInclusive<u64> = 8..=13;
/// The first minor version with `v1beta2`.
const WITH_V1BETA2: u64 = 11;

/// A released version of Cluster API: the one that this program pins, or an older one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Release(Version);

impl Release {
    /// Returns the one that this program pins.
    #[must_use]
    pub fn pinned() -> Self {
        Self::read(crds::version()).expect("the pinned version is a semantic one")
    }

    /// Returns true for the one that this program pins.
    #[must_use]
    pub(crate) fn is_pinned(&self) -> bool {
        *self == Self::pinned()
    }

    /// Returns true if it serves and stores `v1beta2`; an older one has `v1beta1` only.
    #[must_use]
    pub fn has_v1beta2(&self) -> bool {
        self.0.minor >= WITH_V1BETA2
    }

    /// Returns the folder in its module of what the pinned one has in `path`. Older ones have the
    /// core at the root.
    pub(super) fn folder(&self, path: &'static str) -> &'static str {
        if path == "core" && !self.is_pinned() { "" } else { path }
    }

    fn read(text: &str) -> Option<Self> {
        Version::parse(text.strip_prefix('v').unwrap_or(text)).ok().map(Self)
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let release = Self::read(text);
        let is_older = |Self(version): &Self| {
            version.major == 1 && OLDER.contains(&version.minor) && version.pre.is_empty()
        };
        release.filter(|release| release.is_pinned() || is_older(release)).ok_or_else(|| {
            let (first, last) = (OLDER.start(), OLDER.end());
            let pinned = Self::pinned();
            format!(
                "`{text}` is not a version of Cluster API that a sandbox can have; use a release \
                 of 1.{first} to 1.{last} such as 1.10.4, or {pinned}"
            )
        })
    }
}

/// As Go names it: `v1.10.4`.
impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_with_and_without_its_letter() {
        let read = |text: &str| text.parse::<Release>();
        assert_eq!(read("1.10.4"), read("v1.10.4"));
        assert_eq!(read("1.10.4").expect("known").to_string(), "v1.10.4");
        assert!(read(crds::version()).expect("known").is_pinned());
        assert!(!read("1.10.7").expect("known").has_v1beta2());
        let older = read("1.11.0").expect("known");
        assert!(older.has_v1beta2());
        assert_eq!(
            [older.folder("core"), older.folder("bootstrap/kubeadm")],
            ["", "bootstrap/kubeadm"]
        );
        assert_eq!(Release::pinned().folder("core"), "core");
    }

    #[test]
    fn a_version_that_a_sandbox_cannot_have_is_refused() {
        for text in ["", "1.10", "1.7.0", "1.14.0", "2.10.4", "1.13.0-rc.1", "latest"] {
            let error = text.parse::<Release>().expect_err(text);
            assert!(error.contains("such as 1.10.4"), "{error}");
        }
    }
}
