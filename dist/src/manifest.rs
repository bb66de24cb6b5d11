//! The manifest for krew.

use std::path::Path;

use crate::archive::sha256;
use crate::error::DistError;
use crate::target::{TARGETS, Target};

/// The digest of an archive that does not exist yet: well-formed, and of no file, so that krew
/// refuses it.
pub const UNRELEASED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HOME_PAGE: &str = env!("CARGO_PKG_REPOSITORY");

const HEAD: &str = "\
# Manifest for krew, the plugin manager of kubectl. `.ci/run dist manifest` writes it; krew-manifest.yaml
# and plugins/pivot.yaml, for which this repository is an index of krew, are equal.
#
# uri and sha256 are facts of a release. As long as a version is not released, each sha256 is 64 zeros:
# no archive has it, so krew refuses to install anything by it.
";

const TEXTS: &str = "  shortDescription: Create and move Cluster API management clusters
  description: |
    Creates a management cluster that manages itself, in one command: a bootstrap
    cluster in kind, Cluster API's providers, the Cluster, its network, the move
    of everything into it, and the end of the bootstrap cluster. Plugins describe
    infrastructure and networks; Docker and Cilium are among those that come
    along.

    Moves all Cluster API objects from one management cluster to another, as
    `clusterctl move` does, and as a transaction: both clusters are checked
    before anything is changed, the copies are read back and compared before
    anything is deleted, and a failure up to then is undone.
  caveats: |
    `create` runs kind, clusterctl, helm and docker; `doctor` tells which of them
    are missing or too old.

    To use the plugin as `clusterctl pivot` too, put a symbolic link named
    clusterctl-pivot to kubectl-pivot on the PATH.
  platforms:
";

/// What a manifest says.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The name of the plugin: `pivot`, or `capi-pivot` where that is taken.
    pub name: String,
    /// The version, without a `v`.
    pub version: String,
    /// The sha256 of the archive of each target, in the order of [`TARGETS`].
    pub digests: [String; TARGETS.len()],
    /// The address below which the archives are.
    pub base: String,
}

impl Manifest {
    /// The manifest of a version that is not released.
    pub fn unreleased(version: &str) -> Self {
        Self {
            name: "pivot".to_owned(),
            version: version.to_owned(),
            digests: TARGETS.map(|_| UNRELEASED.to_owned()),
            base: format!("{HOME_PAGE}/releases/download/v{version}"),
        }
    }

    /// The manifest of the archives in `folder`.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn of_archives(version: &str, folder: &Path) -> Result<Self, DistError> {
        let mut manifest = Self::unreleased(version);
        for (digest, target) in manifest.digests.iter_mut().zip(TARGETS) {
            let name = format!("{}.tar.gz", target.stem(version));
            let path = folder.join(&name);
            if !path.exists() {
                return Err(DistError::NoArchive { name, folder: folder.to_owned() });
            }
            *digest = sha256(&path)?;
        }
        Ok(manifest)
    }

    /// The manifest as krew reads it.
    pub fn text(&self) -> String {
        let Self { name, version, .. } = self;
        let mut text = format!(
            "{HEAD}apiVersion: krew.googlecontainertools.github.com/v1alpha2\nkind: \
             Plugin\nmetadata:\n  name: {name}\nspec:\n  version: v{version}\n  homepage: \
             {HOME_PAGE}\n{TEXTS}"
        );
        for (target, digest) in TARGETS.iter().zip(&self.digests) {
            text.push_str(&self.platform(*target, digest));
        }
        text
    }

    /// The whole folder of the archive, so that the plugins are beside the program.
    fn platform(&self, target: Target, digest: &str) -> String {
        let Target { os, arch, .. } = target;
        let stem = target.stem(&self.version);
        format!(
            "  - selector:\n      matchLabels:\n        os: {os}\n        arch: {arch}\n    uri: \
             {}/{stem}.tar.gz\n    sha256: \"{digest}\"\n    bin: kubectl-pivot\n    files:\n    - \
             from: {stem}/*\n      to: .\n",
            self.base
        )
    }
}
