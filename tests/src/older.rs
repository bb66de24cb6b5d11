//! The Cluster API of the source of a suite. `.ci/run versions` runs suites with one version after
//! the other.

use std::env;

use sandbox::Release;

/// Names the version, for example `1.13.1`.
const VARIABLE: &str = "KUBECTL_PIVOT_CAPI_SOURCE";

/// Returns the version that the environment names.
///
/// # Panics
/// When no sandbox can have it.
#[must_use]
pub fn source() -> Option<Release> {
    let text = env::var(VARIABLE).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|error| panic!("{VARIABLE}: {error}")))
}
