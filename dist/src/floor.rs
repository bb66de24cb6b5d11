//! The oldest glibc that a binary starts with, by the symbol versions that it asks for.

use std::fmt;
use std::fs;
use std::path::Path;

use object::Endianness;
use object::elf::FileHeader64;
use object::read::elf::FileHeader;

use crate::error::DistError;

/// A release runs on systems of 2018 and newer: RHEL 8, Debian 10, Ubuntu 20.04.
pub const FLOOR: GlibcVersion = GlibcVersion { major: 2, minor: 28 };

/// A version of glibc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GlibcVersion {
    major: u32,
    minor: u32,
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Returns the newest version of glibc that an ELF file asks for, if it asks for any.
///
/// # Errors
/// The file cannot be read or is no ELF file of 64 bits, or asks for symbols that are private to
/// one build of glibc.
pub fn required_glibc(path: &Path) -> Result<Option<GlibcVersion>, DistError> {
    let binary = |message: String| DistError::Binary { path: path.to_owned(), message };
    let data = fs::read(path).map_err(DistError::io("read", path))?;
    let mut newest = None;
    for name in needed(&data).map_err(|error| binary(error.to_string()))? {
        let Some(number) = name.strip_prefix("GLIBC_") else { continue };
        let version =
            parse(number).ok_or_else(|| binary(format!("it needs the version {name}")))?;
        newest = newest.max(Some(version));
    }
    Ok(newest)
}

/// The names of all versions that a file needs of libraries.
fn needed(data: &[u8]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let mut names = Vec::new();
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, data)? else {
        return Ok(names);
    };
    let strings = sections.strings(endian, data, link)?;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            let name = version.name(endian, strings)?;
            names.push(String::from_utf8_lossy(name).into_owned());
        }
    }
    Ok(names)
}

/// `2.34`, or `2.2.5`, of which the third number says nothing about the floor.
fn parse(number: &str) -> Option<GlibcVersion> {
    let mut parts = number.split('.').map(str::parse);
    Some(GlibcVersion { major: parts.next()?.ok()?, minor: parts.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_numbers() {
        let version = |text| parse(text).expect("a version");
        assert!(version("2.9") < version("2.28") && version("2.2.5") < version("2.3"));
        assert_eq!(parse("PRIVATE"), None);
        assert_eq!(FLOOR.to_string(), "2.28");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_of_this_machine_needs_some_glibc() {
        let this = std::env::current_exe().expect("a running program has a path");
        let required = required_glibc(&this).expect("an ELF file");
        assert!(required > parse("2.2.5"), "{required:?}");
        let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(matches!(required_glibc(&text), Err(DistError::Binary { .. })));
    }
}
