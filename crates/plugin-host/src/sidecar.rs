//! The file beside a plugin that describes it, so that listing plugins runs none of them.
//!
//! For `libfoo.so` it is `libfoo.plugin.json`, for `kubectl-pivot-plugin-foo`
//! `kubectl-pivot-plugin-foo.plugin.json`. It is a claim, not a proof: what counts is what the
//! plugin itself says once it is loaded.

use std::path::{Path, PathBuf};

use kubectl_pivot_plugin_api::PluginInfo;
use serde::{Deserialize, Serialize};

use super::write;

/// Version of the format that this program writes and reads.
const FORMAT: u32 = 1;

/// A description is a name, a version and a sentence.
const LIMIT_BYTES: u64 = 256 << 10;

/// Description of a plugin, in a file. Fields that are not known are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sidecar {
    /// Version of the format; a reader refuses a higher one.
    pub format_version: u32,
    /// ABI level of a library; a program has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abi_level: Option<u32>,
    /// The plugin's own description.
    #[serde(flatten)]
    pub info: PluginInfo,
}

/// The reason why a library is not described.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// The file is missing or cannot be read or written.
    #[error("cannot use the description {}", path.display())]
    Io {
        /// The sidecar file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not a description.
    #[error("{} does not describe a plugin", path.display())]
    Malformed {
        /// The sidecar file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// The file was written by a newer program.
    #[error("{} has format version {found}, this program reads up to {FORMAT}", path.display())]
    Newer {
        /// The sidecar file.
        path: PathBuf,
        /// The version.
        found: u32,
    },
}

impl Sidecar {
    /// A description in the format of this program.
    pub fn new(info: PluginInfo, abi_level: Option<u32>) -> Self {
        Self { format_version: FORMAT, abi_level, info }
    }

    /// The place of the description of `library`.
    pub fn path_for(library: &Path) -> PathBuf {
        library.with_extension("plugin.json")
    }

    /// Reads the description of `library`.
    ///
    /// # Errors
    /// It is missing, malformed, or of a newer format.
    pub fn read(library: &Path) -> Result<Self, SidecarError> {
        let path = Self::path_for(library);
        let text = own_files::read(&path, LIMIT_BYTES)
            .map_err(|source| SidecarError::Io { path: path.clone(), source })?;
        let sidecar: Self = serde_json::from_slice(&text)
            .map_err(|source| SidecarError::Malformed { path: path.clone(), source })?;
        match sidecar.format_version {
            found if found > FORMAT => Err(SidecarError::Newer { path, found }),
            _ => Ok(sidecar),
        }
    }

    /// Writes the description of `library`, as a whole and for everyone to read, whatever the umask
    /// says. What was there is replaced and never written through: it may be a link.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn write(&self, library: &Path) -> Result<(), SidecarError> {
        let path = Self::path_for(library);
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|source| SidecarError::Malformed { path: path.clone(), source })?;
        text.push(b'\n');
        write::file(&path, &text, 0o644).map_err(|source| SidecarError::Io { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let library = folder.path().join("libpotato.so");
        let info = PluginInfo { name: "potato".to_owned(), ..PluginInfo::default() };
        let sidecar = Sidecar::new(info, Some(1));
        sidecar.write(&library).expect("the folder is ours");
        assert!(folder.path().join("libpotato.plugin.json").exists());
        assert_eq!(Sidecar::read(&library).expect("it was just written"), sidecar);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_replaced_and_a_fifo_does_not_hang() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("there is room for a folder");
        let (library, victim) = (folder.path().join("libp.so"), folder.path().join("victim"));
        let path = Sidecar::path_for(&library);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo is everywhere").success());
        assert!(matches!(Sidecar::read(&library), Err(SidecarError::Io { .. })));

        std::fs::write(&victim, "mine").expect("the folder is ours");
        std::fs::remove_file(&path).expect("it was just made");
        std::os::unix::fs::symlink(&victim, &path).expect("the folder is ours");
        let sidecar = Sidecar::new(PluginInfo::default(), Some(1));
        sidecar.write(&library).expect("the folder is ours");
        assert_eq!(std::fs::read_to_string(&victim).expect("it is still there"), "mine");
        let written = path.symlink_metadata().expect("it was just written");
        assert!(written.is_file(), "the link is gone");
        assert_eq!(written.permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_description_without_end_is_not_read() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let library = folder.path().join("libp.so");
        let name = "p".repeat(300_000);
        let text = format!(r#"{{"formatVersion":1,"abiLevel":1,"name":"{name}"}}"#);
        std::fs::write(Sidecar::path_for(&library), text).expect("the folder is ours");
        assert!(matches!(Sidecar::read(&library), Err(SidecarError::Io { .. })));
    }

    #[test]
    fn tolerates_the_future_up_to_its_format() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let library = folder.path().join("libpotato.so");
        let write = |text: &str| std::fs::write(Sidecar::path_for(&library), text);
        write(r#"{"formatVersion":1,"abiLevel":7,"name":"p","kind":"mesh","new":[]}"#)
            .expect("the folder is ours");
        assert_eq!(Sidecar::read(&library).expect("it is tolerated").info.name, "p");
        write(r#"{"formatVersion":2,"abiLevel":7,"name":"p"}"#).expect("the folder is ours");
        assert!(matches!(Sidecar::read(&library), Err(SidecarError::Newer { found: 2, .. })));
        write("nonsense").expect("the folder is ours");
        assert!(matches!(Sidecar::read(&library), Err(SidecarError::Malformed { .. })));
    }
}
