//! The machine that a library or a program was built for, in the words of OCI.

use std::fmt;

use object::{Architecture, BinaryFormat, Object as _};

/// Operating system and processor, for example `linux/amd64`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// `linux`, `darwin`.
    pub os: String,
    /// `amd64`, `arm64`.
    pub architecture: String,
}

impl Platform {
    /// The platform of this program.
    pub fn host() -> Self {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            os => os,
        };
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            architecture => architecture,
        };
        Self::new(os, architecture)
    }

    pub(crate) fn new(os: &str, architecture: &str) -> Self {
        Self { os: os.to_owned(), architecture: architecture.to_owned() }
    }

    /// The platform that bytes were built for, by their headers; nothing for a platform without
    /// plugins and for what is no object file.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let file = object::File::parse(bytes).ok()?;
        let os = match file.format() {
            BinaryFormat::Elf => "linux",
            BinaryFormat::MachO => "darwin",
            _ => return None,
        };
        let architecture = match file.architecture() {
            Architecture::X86_64 => "amd64",
            Architecture::Aarch64 => "arm64",
            _ => return None,
        };
        Some(Self::new(os, architecture))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_is_for_this_machine() {
        let program = std::env::current_exe().and_then(std::fs::read).expect("it is a file");
        assert_eq!(Platform::of(&program), Some(Platform::host()));
        assert_eq!(Platform::of(b"#!/bin/sh"), None);
    }
}
