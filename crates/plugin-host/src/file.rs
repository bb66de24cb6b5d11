//! The bytes of a library: its hash, and whether opening it is safe.
//!
//! A library is read once. What is hashed, judged and opened are the bytes that were read, so
//! nothing can be put in their place in between. A truncated library ends the process with SIGBUS
//! while it is opened, and one for another machine gives a misleading error, so its headers are
//! read first.

use std::fmt;
use std::path::{Path, PathBuf};

use object::{Architecture, Object as _, ObjectKind, ObjectSection as _, ObjectSegment as _};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::error::PluginFileError;
use super::guarded::{self, GuardedError};

/// Plugins with all their symbols have a tenth of this.
const LIBRARY_LIMIT_BYTES: u64 = 256 << 20;

/// A library in memory.
pub(super) struct Library {
    /// The path and its hash.
    pub(super) file: PluginFile,
    /// All of it.
    pub(super) bytes: Vec<u8>,
}

/// A library that is safe to open as far as one can see from outside, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFile {
    /// The path.
    pub path: PathBuf,
    /// Hash of its bytes.
    pub hash: Sha256,
}

/// SHA-256, written in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256(String);

/// Why bytes are not a library for this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// The bytes are no object file at all, or end within its headers.
    #[error("it is damaged or not a library: {0}")]
    Malformed(String),
    /// The file ends before its content does.
    #[error("it is truncated: {have} bytes of at least {need}")]
    Truncated {
        /// Size of the file.
        have: u64,
        /// What its headers promise.
        need: u64,
    },
    /// It was built for another machine.
    #[error("it is built for {found}, this machine is {}", std::env::consts::ARCH)]
    Architecture {
        /// The machine it was built for.
        found: String,
    },
    /// It is a program or an object file.
    #[error("it is not a dynamic library")]
    NotALibrary,
}

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = sha2::Sha256::digest(bytes);
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PluginFile {
    /// Checks who could have changed the library and what its headers say. Opens nothing.
    ///
    /// # Errors
    /// [`PluginFileError::Permissions`], [`PluginFileError::Read`], [`PluginFileError::Header`].
    pub fn inspect(path: &Path) -> Result<Self, PluginFileError> {
        Library::read(path).map(|library| library.file)
    }
}

impl Library {
    /// Reads a library that nobody but the user and root could have changed.
    ///
    /// # Errors
    /// As [`PluginFile::inspect`].
    pub(super) fn read(path: &Path) -> Result<Self, PluginFileError> {
        let bytes = guarded::read(path, LIBRARY_LIMIT_BYTES).map_err(|error| match error {
            GuardedError::Io(source) => PluginFileError::Read { path: path.to_owned(), source },
            GuardedError::Permissions(source) => {
                PluginFileError::Permissions { path: path.to_owned(), source }
            }
        })?;
        Self::of(path, bytes)
    }

    /// Reads a library that the user names, wherever it is: they say that they trust these bytes.
    ///
    /// # Errors
    /// [`PluginFileError::Read`], [`PluginFileError::Header`].
    pub(super) fn read_anywhere(path: &Path) -> Result<Self, PluginFileError> {
        let bytes = kubectl_pivot_own_files::read(path, LIBRARY_LIMIT_BYTES)
            .map_err(|source| PluginFileError::Read { path: path.to_owned(), source })?;
        Self::of(path, bytes)
    }

    /// Reads a library again, if it is the same.
    ///
    /// # Errors
    /// [`PluginFileError::Untrusted`], and as [`PluginFile::inspect`].
    pub(super) fn read_again(file: &PluginFile) -> Result<Self, PluginFileError> {
        let library = Self::read(&file.path)?;
        if library.file.hash == file.hash {
            return Ok(library);
        }
        let (path, found) = (file.path.clone(), library.file.hash.to_string());
        let expected = format!("{} was expected", file.hash);
        Err(PluginFileError::Untrusted { path, found, expected })
    }

    fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, PluginFileError> {
        check_header(&bytes)
            .map_err(|source| PluginFileError::Header { path: path.to_owned(), source })?;
        let file = PluginFile { path: path.to_owned(), hash: Sha256::of(&bytes) };
        Ok(Self { file, bytes })
    }
}

fn check_header(bytes: &[u8]) -> Result<(), HeaderProblem> {
    let malformed = |error: object::Error| HeaderProblem::Malformed(error.to_string());
    let file = object::File::parse(bytes).map_err(malformed)?;
    let found = file.architecture();
    if Some(found) != this_architecture() {
        return Err(HeaderProblem::Architecture { found: format!("{found:?}").to_lowercase() });
    }
    if file.kind() != ObjectKind::Dynamic {
        return Err(HeaderProblem::NotALibrary);
    }
    let segments = file.segments().map(|segment| segment.file_range());
    let sections = file.sections().filter_map(|section| section.file_range());
    let ends = segments.chain(sections).map(|(offset, size)| offset.saturating_add(size));
    let (have, need) = (bytes.len() as u64, ends.max().unwrap_or(0));
    if need > have {
        return Err(HeaderProblem::Truncated { have, need });
    }
    Ok(())
}

fn this_architecture() -> Option<Architecture> {
    match std::env::consts::ARCH {
        "x86_64" => Some(Architecture::X86_64),
        "aarch64" => Some(Architecture::Aarch64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_in_hexadecimal() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Sha256::of(b"").to_string(), empty);
    }

    #[test]
    fn refuses_what_is_no_library() {
        for bytes in [&b""[..], b"text", b"\x7fELF", &[0; 4096]] {
            assert!(matches!(check_header(bytes), Err(HeaderProblem::Malformed(_))));
        }
    }

    #[test]
    fn finds_every_truncation() {
        let library = std::env::current_exe().and_then(std::fs::read).expect("this test is a file");
        for tenth in 0..10 {
            let cut = &library[..library.len() * tenth / 10];
            assert!(check_header(cut).is_err(), "cut at {tenth} tenths");
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_endian = "little"))]
    fn refuses_another_machine() {
        let mut library =
            std::env::current_exe().and_then(std::fs::read).expect("this test is a file");
        // e_machine of an ELF header: RISC-V.
        library[18..20].copy_from_slice(&243_u16.to_le_bytes());
        let problem = check_header(&library).expect_err("no test runs on RISC-V");
        assert!(matches!(problem, HeaderProblem::Architecture { .. }), "{problem}");
    }
}
