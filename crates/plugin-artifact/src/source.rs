//! The address of an artifact: `oci://HOST/NAME`, with a version or a digest.

use std::fmt;
use std::str::FromStr;

use oci_client::Reference;

/// The scheme that an artifact has, and a file has not.
const SCHEME: &str = "oci://";

/// An artifact of a registry. The flag says that a version or a digest was named: a reference
/// without one has the tag `latest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(Reference, bool);

/// The reason why a text names no artifact.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The text is no address of an artifact.
    #[error("`{text}` is not of the form oci://HOST/NAME:VERSION: {reason}")]
    Malformed {
        /// The text.
        text: String,
        /// The cause.
        reason: String,
    },
    /// Neither version nor digest: another artifact on another day.
    #[error("`{text}` names no version")]
    NoVersion {
        /// The text.
        text: String,
    },
}

impl Source {
    /// Returns true for a text that is meant to name an artifact.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Reads a source without a version, or of one that nobody looks at.
    ///
    /// # Errors
    /// The text is no address of an artifact.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let malformed = |reason: &str| SourceError::Malformed {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| malformed("it begins otherwise"))?;
        // Else the host would be that of a well-known registry, by which nobody would have meant
        // it.
        let has_host = rest.split_once('/').is_some_and(|(host, name)| {
            !name.is_empty() && (host.contains(['.', ':']) || host == "localhost")
        });
        if !has_host {
            return Err(malformed("it names no host"));
        }
        let has_version = rest.rsplit('/').next().is_some_and(|name| name.contains([':', '@']));
        let reference = Reference::from_str(rest).map_err(|error| malformed(&error.to_string()))?;
        Ok(Self(reference, has_version))
    }

    /// Reads a source with a version or a digest.
    ///
    /// # Errors
    /// The text is no address of an artifact, or names neither.
    pub fn parse_exact(text: &str) -> Result<Self, SourceError> {
        let source = Self::parse(text)?;
        if source.has_version() {
            return Ok(source);
        }
        Err(SourceError::NoVersion { text: text.to_owned() })
    }

    /// Returns true if it names a version or a digest.
    pub fn has_version(&self) -> bool {
        self.1
    }

    /// Host and name, without version and digest: what a newer version has in common.
    pub fn repository(&self) -> String {
        format!("{SCHEME}{}/{}", self.0.registry(), self.0.repository())
    }

    /// The same artifact at a digest.
    #[must_use]
    pub fn at_digest(&self, digest: &str) -> Self {
        let (registry, repository) = (self.0.registry(), self.0.repository());
        let (registry, repository) = (registry.to_owned(), repository.to_owned());
        Self(Reference::with_digest(registry, repository, digest.to_owned()), true)
    }

    /// Another version of the same artifact.
    #[must_use]
    pub fn at_version(&self, version: &str) -> Self {
        let (registry, repository) = (self.0.registry(), self.0.repository());
        let (registry, repository) = (registry.to_owned(), repository.to_owned());
        Self(Reference::with_tag(registry, repository, version.to_owned()), true)
    }

    pub(crate) fn host(&self) -> &str {
        self.0.registry()
    }

    pub(crate) fn reference(&self) -> &Reference {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0.whole())
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_host_name_and_version() {
        let source =
            Source::parse_exact("oci://127.0.0.1:5000/plugins/potato:1.2.0").expect("valid");
        assert_eq!(source.repository(), "oci://127.0.0.1:5000/plugins/potato");
        assert_eq!(source.to_string(), "oci://127.0.0.1:5000/plugins/potato:1.2.0");
        assert_eq!(source.host(), "127.0.0.1:5000");
        let digest = format!("sha256:{}", "a".repeat(64));
        let pinned = source.at_digest(&digest);
        assert_eq!(pinned.to_string(), format!("oci://127.0.0.1:5000/plugins/potato@{digest}"));
        assert_eq!(Source::parse_exact(&pinned.to_string()), Ok(pinned));
        assert_eq!(
            source.at_version("2.0.0").to_string(),
            "oci://127.0.0.1:5000/plugins/potato:2.0.0"
        );
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for (text, part) in [
            ("potato:1", "begins otherwise"),
            ("oci://potato:1", "no host"),
            ("oci://plugins/potato:1", "no host"),
            ("oci://r.example/", "no host"),
            ("oci://r.example/Potato:1", "oci://HOST/NAME:VERSION"),
            ("oci://r.example/potato", "no version"),
        ] {
            let error = Source::parse_exact(text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
