//! Release archives of the binaries that these tests are built with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubectl_pivot_dist::{Archive, Built, Entry, Manifest, Target, entries, sha256};

use crate::plugins::library;
use crate::program::Program;

/// All plugins of this workspace.
const PLUGINS: [&str; 12] = [
    "aws",
    "azure",
    "calico",
    "cilium",
    "docker",
    "flannel",
    "gcp",
    "in-memory",
    "kindnet",
    "none",
    "openstack",
    "vsphere",
];

/// An archive, made by the code that makes releases.
pub struct Bundle {
    entries: Vec<Entry>,
    target: Target,
}

impl Bundle {
    /// The program and its plugins, without symbols: krew unpacks them several times.
    ///
    /// # Panics
    /// When they cannot be built, or the program refuses a plugin.
    pub fn new(scratch: &Path) -> Self {
        let libraries = PLUGINS.map(|name| stripped(&library(name), scratch));
        let program = stripped(Program::kubectl_pivot(scratch).path(), scratch);
        let built = Built { program, libraries: libraries.into() };
        let licence = Path::new(env!("CARGO_MANIFEST_DIR")).join("../LICENSE");
        let entries = entries(&built, &licence).unwrap_or_else(|error| panic!("{error}"));
        Self { entries, target: Target::host().expect("a platform of releases") }
    }

    /// The paths in an archive.
    pub fn paths(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.path.as_str()).collect()
    }

    /// Writes the archive of a version into `folder`; it is told from others by its name only.
    ///
    /// # Panics
    /// When the folder is not writable.
    pub fn archive(&self, version: &str, folder: &Path) -> PathBuf {
        let archive = Archive { root: &self.target.stem(version), time: 0, compression: 1 };
        archive.write(&self.entries, folder).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The manifest of an archive that is served below `base`.
    ///
    /// # Panics
    /// When the archive cannot be read.
    pub fn manifest(&self, version: &str, archive: &Path, base: &str) -> Manifest {
        let digest = sha256(archive).unwrap_or_else(|error| panic!("{error}"));
        let mut manifest = Manifest::unreleased(version);
        manifest.digests.fill(digest);
        manifest.base = base.to_owned();
        manifest
    }
}

/// A copy without symbols.
fn stripped(binary: &Path, scratch: &Path) -> PathBuf {
    let folder = scratch.join("stripped");
    fs::create_dir_all(&folder).expect("the folder is ours");
    let copy = folder.join(binary.file_name().expect("a file"));
    let strip = Command::new("strip").arg("-S").arg("-x").arg("-o").arg(&copy).arg(binary).output();
    let strip = strip.expect("`strip` comes with the C compiler that Rust needs");
    assert!(strip.status.success(), "{}", String::from_utf8_lossy(&strip.stderr));
    copy
}
