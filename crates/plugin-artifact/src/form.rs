//! Names of the format: media types and annotations. They are written into registries, so they
//! stay.

/// Type of the artifact: of the index and of each manifest.
pub(crate) const ARTIFACT: &str = "application/vnd.kubectl-pivot.plugin.v1";
/// Configuration of a manifest: the sidecar of the plugin.
pub(crate) const DESCRIPTION: &str = "application/vnd.kubectl-pivot.plugin.description.v1+json";
/// Layer of a manifest: a dynamic library.
pub(crate) const LIBRARY: &str = "application/vnd.kubectl-pivot.plugin.library.v1";
/// Layer of a manifest: a program.
pub(crate) const PROGRAM: &str = "application/vnd.kubectl-pivot.plugin.program.v1";

/// Name of the plugin on an index, of the file on a layer.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";
/// Version of the plugin.
pub(crate) const VERSION: &str = "org.opencontainers.image.version";
/// One sentence about the plugin.
pub(crate) const SENTENCE: &str = "org.opencontainers.image.description";
/// Name of the publisher, as they give it.
pub(crate) const VENDOR: &str = "org.opencontainers.image.vendor";
/// Tag of an index in a folder.
pub(crate) const TAG: &str = "org.opencontainers.image.ref.name";
/// Kind of the plugin.
pub(crate) const KIND: &str = "io.kubectl-pivot.plugin.kind";
/// Signature of a layer by minisign, the whole file.
pub(crate) const SIGNATURE: &str = "io.kubectl-pivot.plugin.minisig";

/// Bytes of a manifest or an index at most; one has a few hundred for each platform.
pub(crate) const MANIFEST_LIMIT_BYTES: usize = 1 << 20;
/// Bytes of a library or a program at most, as for those in folders.
pub(crate) const FILE_LIMIT_BYTES: u64 = 256 << 20;
/// Platforms of an artifact at most.
pub(crate) const PLATFORM_LIMIT: usize = 32;
