//! The two forms of a plugin: a library that is loaded, and a program that is run.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use object::{Object as _, ObjectKind};
use serde::Serialize;

/// The name of a program begins with this; the rest is the name of the plugin.
pub(super) const PROGRAM_PREFIX: &str = "kubectl-pivot-plugin-";

/// The form of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A dynamic library, which runs in this process.
    Library,
    /// A program or a script, which runs in a process of its own.
    Program,
}

impl Form {
    /// The word in messages and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Program => "program",
        }
    }

    /// The form that a file has by its name.
    pub(super) fn by_name(path: &Path) -> Option<Self> {
        if path.extension() == Some(OsStr::new(std::env::consts::DLL_EXTENSION)) {
            return Some(Self::Library);
        }
        let name = path.file_name()?.to_str()?.strip_prefix(PROGRAM_PREFIX)?;
        // What has an extension belongs to a plugin, as its description.
        (!name.is_empty() && !name.contains('.')).then_some(Self::Program)
    }

    /// The form that a file has by its name, or else by its bytes.
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        Self::by_name(path).unwrap_or_else(|| {
            if is_script(bytes) || is_program(bytes) { Self::Program } else { Self::Library }
        })
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns whether the first line names an interpreter.
pub(super) fn is_script(bytes: &[u8]) -> bool {
    bytes.starts_with(b"#!")
}

fn is_program(bytes: &[u8]) -> bool {
    let Ok(file) = object::File::parse(bytes) else { return false };
    // A program whose code may be in any place differs from a library in that it names its loader.
    let names_its_loader = || file.section_by_name(".interp").is_some();
    file.kind() == ObjectKind::Executable || names_its_loader()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_and_without_one_the_bytes() {
        let library = format!("/p/libfoo.{}", std::env::consts::DLL_EXTENSION);
        let this_test = std::env::current_exe().and_then(std::fs::read).expect("it is a file");
        for (path, bytes, form) in [
            (library.as_str(), &b"#!/bin/sh"[..], Form::Library),
            ("/p/kubectl-pivot-plugin-le-potato", b"text", Form::Program),
            ("/p/foo", b"#!/bin/sh", Form::Program),
            ("/p/foo", &this_test, Form::Program),
            ("/p/foo", b"text", Form::Library),
        ] {
            assert_eq!(Form::of(Path::new(path), bytes), form, "{path}");
        }
        for other in ["kubectl-pivot-plugin-", "kubectl-pivot-plugin-a.plugin.json", "kubectl"] {
            assert_eq!(Form::by_name(Path::new(other)), None, "{other}");
        }
    }
}
