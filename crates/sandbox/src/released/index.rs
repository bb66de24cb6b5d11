//! The index of envtest's archives: which versions there are, where, and their checksums.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;

use super::error::DownloadError;

/// An index, as controller-tools publishes it.
#[derive(Debug, Deserialize)]
struct Index {
    releases: BTreeMap<String, BTreeMap<String, Listed>>,
}

/// An archive in the index.
#[derive(Clone, Debug, Deserialize)]
struct Listed {
    /// sha512, hexadecimal.
    hash: String,
    #[serde(rename = "selfLink")]
    self_link: String,
}

/// The archive to download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// For example `v1.36.2`.
    pub(super) version: String,
    /// Name of the archive.
    pub(super) name: String,
    /// sha512, hexadecimal, in lower case.
    pub(super) sha512: String,
    /// The project's own address of it.
    pub(super) self_link: String,
}

/// Finds the newest archive for a platform whose version has the same minor as the pinned one.
/// envtest does not release each patch.
pub(super) fn choose(
    (url, text): (&str, &str),
    pinned: &str,
    platform: &str,
) -> Result<Release, DownloadError> {
    let bad = |problem: String| DownloadError::Content { url: url.to_owned(), problem };
    // Into texts at once: read as a value, a checksum of digits would be a number.
    let index: Index = serde_saphyr::from_str(text)
        .map_err(|_| bad("it is not an index of envtest's releases".to_owned()))?;
    let pinned = version(pinned).ok_or_else(|| bad(format!("{pinned} is no version")))?;
    let fitting = index.releases.iter().filter_map(|(name, archives)| {
        let version = version(name)?;
        let is_same = (version.major, version.minor) == (pinned.major, pinned.minor);
        (is_same && version.pre.is_empty()).then_some((version, name, archives))
    });
    let newest = fitting
        .filter_map(|(version, name, archives)| {
            let archive = format!("envtest-{name}-{platform}.tar.gz");
            let listed = archives.get(&archive)?.clone();
            Some((version, Release::new(name, archive, listed)))
        })
        .max_by(|(a, _), (b, _)| a.cmp(b));
    let what = format!("Kubernetes {}.{} for {platform}", pinned.major, pinned.minor);
    let problem = format!("{url} does not list it");
    let (_, release) = newest.ok_or(DownloadError::NotReleased { what, problem })?;
    let is_sum =
        release.sha512.len() == 128 && release.sha512.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_sum { Ok(release) } else { Err(bad(format!("{} has no sha512", release.name))) }
}

impl Release {
    fn new(version: &str, name: String, listed: Listed) -> Self {
        let sha512 = listed.hash.to_ascii_lowercase();
        Self { version: version.to_owned(), name, sha512, self_link: listed.self_link }
    }
}

/// A version with a `v`, as it is a part of paths: nothing else gets there.
pub(super) fn version(name: &str) -> Option<Version> {
    Version::parse(name.strip_prefix('v')?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(archives: &[(&str, &str)]) -> String {
        let mut text = "releases:\n".to_owned();
        for (version, platform) in archives {
            text += &format!(
                "  {version}:\n    envtest-{version}-{platform}.tar.gz:\n      hash: {}\n      \
                 selfLink: https://a.invalid/{version}\n",
                "AB".repeat(64)
            );
        }
        text
    }

    #[test]
    fn the_newest_patch_of_the_minor_is_taken() {
        let text = index(&[
            ("v1.35.9", "linux-amd64"),
            ("v1.36.0", "linux-amd64"),
            ("v1.36.10", "linux-amd64"),
            ("v1.36.9", "linux-amd64"),
            ("v1.36.11", "linux-arm64"),
            ("v1.36.12-rc.1", "linux-amd64"),
            ("v1.37.0", "linux-amd64"),
            ("../v1.36.99", "linux-amd64"),
        ]);
        let chosen = choose(("u", &text), "v1.36.3", "linux-amd64").expect("one fits");
        assert_eq!(chosen.version, "v1.36.10");
        assert_eq!(chosen.name, "envtest-v1.36.10-linux-amd64.tar.gz");
        assert_eq!(chosen.sha512, "ab".repeat(64));
        for (minor, platform) in [("v1.38.0", "linux-amd64"), ("v1.36.3", "darwin-arm64")] {
            let error = choose(("u", &text), minor, platform).expect_err("none fits");
            assert!(matches!(error, DownloadError::NotReleased { .. }), "{error}");
        }
    }

    #[test]
    fn a_page_that_is_no_index_is_refused() {
        let short = index(&[("v1.36.0", "linux-amd64")]).replace(&"AB".repeat(64), "abc");
        for text in ["", "<html>log in</html>", "releases: 3", short.as_str()] {
            let error = choose(("u", text), "v1.36.3", "linux-amd64").expect_err(text);
            assert!(matches!(error, DownloadError::Content { .. }), "{error}");
        }
    }
}
