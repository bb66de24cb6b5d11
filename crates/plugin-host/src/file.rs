//! The bytes of a plugin: their hash, and whether opening or running them is safe.
//!
//! A plugin is read once. What is hashed, judged, opened and run are the bytes that were read, so
//! nothing can be put in their place in between. A truncated library ends the process with SIGBUS
//! while it is opened, and one for another machine gives a misleading error, so its headers are
//! read first.

use std::fmt;
use std::path::{Path, PathBuf};

use object::{Architecture, Object as _, ObjectKind, ObjectSection as _, ObjectSegment as _};
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::error::PluginFileError;
use super::form::{Form, is_script};
use super::guarded::{self, GuardedError};

/// Plugins with all their symbols have a tenth of this.
const LIBRARY_LIMIT_BYTES: u64 = 256 << 20;

/// A plugin in memory.
pub(super) struct Contents {
    /// Path and hash.
    pub(super) file: PluginFile,
    /// Library or program.
    pub(super) form: Form,
    /// All of it.
    pub(super) bytes: Vec<u8>,
}

/// A library or a program that is safe to use as far as one can see from outside, and its hash.
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

/// Problems of bytes that should be a library or a program for this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// The bytes are no object file at all, or end within its headers.
    #[error("it is damaged or not a {form}: {reason}")]
    Malformed {
        /// The form that it should have.
        form: Form,
        /// The first thing that makes no sense.
        reason: String,
    },
    /// The file ends before its content does.
    #[error("it is truncated: {have} bytes of at least {need}")]
    Truncated {
        /// Size of the file.
        have: u64,
        /// Bytes that the headers promise.
        need: u64,
    },
    /// It was built for another machine.
    #[error("it is built for {found}, this machine is {}", std::env::consts::ARCH)]
    Architecture {
        /// The machine it was built for.
        found: String,
    },
    /// It has code for several machines.
    #[error(
        "it is a universal file of macOS, with code for several machines: take the part for one \
         of them \
         (`lipo -thin {} FILE -output FILE`)",
        std::env::consts::ARCH.replace("aarch64", "arm64")
    )]
    Universal,
    /// It is a program or an object file.
    #[error("it is not a dynamic library")]
    NotALibrary,
    /// It is an object file.
    #[error("it is not a program")]
    NotAProgram,
}

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// Reads a hash as it is written.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        (text.len() == 64 && text.chars().all(is_hex)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PluginFile {
    /// Checks who could have changed the file and what its headers say. Runs nothing.
    ///
    /// # Errors
    /// [`PluginFileError::Permissions`], [`PluginFileError::Read`], [`PluginFileError::Header`].
    pub fn inspect(path: &Path) -> Result<Self, PluginFileError> {
        Contents::read(path).map(|contents| contents.file)
    }
}

impl Contents {
    /// Reads a plugin that nobody but the user and root could have changed.
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

    /// Reads a plugin that the user names, wherever it is: they say that they trust these bytes.
    ///
    /// # Errors
    /// [`PluginFileError::Read`], [`PluginFileError::Header`].
    pub(super) fn read_anywhere(path: &Path) -> Result<Self, PluginFileError> {
        let bytes = own_files::read(path, LIBRARY_LIMIT_BYTES)
            .map_err(|source| PluginFileError::Read { path: path.to_owned(), source })?;
        Self::of(path, bytes)
    }

    /// Reads a plugin again, if it is the same.
    ///
    /// # Errors
    /// [`PluginFileError::Untrusted`], and as [`PluginFile::inspect`].
    pub(super) fn read_again(file: &PluginFile) -> Result<Self, PluginFileError> {
        let contents = Self::read(&file.path)?;
        if contents.file.hash == file.hash {
            return Ok(contents);
        }
        let (path, found) = (file.path.clone(), contents.file.hash.to_string());
        let expected = format!("{} was expected", file.hash);
        Err(PluginFileError::Untrusted { path, found, expected })
    }

    fn of(path: &Path, bytes: Vec<u8>) -> Result<Self, PluginFileError> {
        let form = Form::of(path, &bytes);
        check_header(form, &bytes).map_err(|source| PluginFileError::Header {
            path: path.to_owned(),
            form,
            source,
        })?;
        let file = PluginFile { path: path.to_owned(), hash: Sha256::of(&bytes) };
        Ok(Self { file, form, bytes })
    }
}

fn check_header(form: Form, bytes: &[u8]) -> Result<(), HeaderProblem> {
    // The system judges the interpreter that a script names.
    if form == Form::Program && is_script(bytes) {
        return Ok(());
    }
    if is_universal(bytes) {
        return Err(HeaderProblem::Universal);
    }
    let malformed =
        |error: object::Error| HeaderProblem::Malformed { form, reason: error.to_string() };
    let file = object::File::parse(bytes).map_err(malformed)?;
    let found = file.architecture();
    if Some(found) != this_architecture() {
        return Err(HeaderProblem::Architecture { found: format!("{found:?}").to_lowercase() });
    }
    match (form, file.kind()) {
        // The code of a program may be in any place, as that of a library.
        (Form::Library | Form::Program, ObjectKind::Dynamic)
        | (Form::Program, ObjectKind::Executable) => {}
        (Form::Library, _) => return Err(HeaderProblem::NotALibrary),
        (Form::Program, _) => return Err(HeaderProblem::NotAProgram),
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

/// Classes of Java begin with the same four bytes; the next four are the number of machines here.
fn is_universal(bytes: &[u8]) -> bool {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
    let machines = word(4).map(u32::from_be_bytes);
    matches!(word(0).map(u32::from_be_bytes), Some(0xcafe_babe | 0xcafe_babf))
        && machines.is_some_and(|number| (1..20).contains(&number))
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

    const FORMS: [Form; 2] = [Form::Library, Form::Program];

    #[test]
    fn refuses_what_is_neither_library_nor_program() {
        for (form, bytes) in FORMS
            .into_iter()
            .flat_map(|form| [&b""[..], b"text", b"\x7fELF", &[0; 4096]].map(|bytes| (form, bytes)))
        {
            assert!(matches!(check_header(form, bytes), Err(HeaderProblem::Malformed { .. })));
        }
        assert_eq!(check_header(Form::Program, b"#!/bin/sh\n"), Ok(()));
        assert!(check_header(Form::Library, b"#!/bin/sh\n").is_err());
    }

    #[test]
    fn a_universal_file_is_called_so() {
        let mut file = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2];
        file.resize(4096, 0);
        let problem = check_header(Form::Library, &file).expect_err("it has two parts");
        assert!(problem.to_string().contains("lipo -thin"), "{problem}");
        // The version of a class of Java.
        file[7] = 61;
        assert!(matches!(check_header(Form::Library, &file), Err(HeaderProblem::Malformed { .. })));
    }

    #[test]
    fn finds_every_truncation() {
        let whole = std::env::current_exe().and_then(std::fs::read).expect("this test is a file");
        for (form, tenth) in FORMS.into_iter().flat_map(|form| (0..10).map(move |t| (form, t))) {
            let cut = &whole[..whole.len() * tenth / 10];
            assert!(check_header(form, cut).is_err(), "{form} cut at {tenth} tenths");
        }
        assert_eq!(check_header(Form::Program, &whole), Ok(()));
    }

    #[test]
    #[cfg(all(target_os = "linux", target_endian = "little"))]
    fn refuses_another_machine() {
        let mut file =
            std::env::current_exe().and_then(std::fs::read).expect("this test is a file");
        // e_machine of an ELF header: RISC-V.
        file[18..20].copy_from_slice(&243_u16.to_le_bytes());
        for form in FORMS {
            let problem = check_header(form, &file).expect_err("no test runs on RISC-V");
            assert!(matches!(problem, HeaderProblem::Architecture { .. }), "{problem}");
        }
    }
}
