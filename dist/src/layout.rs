//! The files of an archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::DistError;
use crate::pages;
use crate::source::output_of;

/// One file of an archive.
#[derive(Debug)]
pub struct Entry {
    /// The path in the folder of the archive.
    pub path: String,
    /// The contents.
    pub bytes: Vec<u8>,
    /// Users run it.
    pub is_program: bool,
}

/// The binaries of one target.
#[derive(Debug)]
pub struct Built {
    /// `kubectl-pivot`; it runs on this machine.
    pub program: PathBuf,
    /// The libraries of all plugins.
    pub libraries: Vec<PathBuf>,
}

/// Lists the files of an archive, by their paths.
///
/// The program itself describes its plugins and trusts them, as it does for users who install them:
/// a plugin that it would refuse is in no archive.
///
/// # Errors
/// A file cannot be read, or the program refuses a plugin.
pub fn entries(built: &Built, licence: &Path) -> Result<Vec<Entry>, DistError> {
    let mut entries = pages::man_pages()?;
    entries.extend(pages::completions());
    entries.push(Entry { is_program: true, ..file("kubectl-pivot", &built.program)? });
    entries.push(file("LICENSE", licence)?);
    entries.extend(plugins(built)?);
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

/// The folder with plugins: libraries, their descriptions, and the list of those that are trusted.
fn plugins(built: &Built) -> Result<Vec<Entry>, DistError> {
    let home =
        tempfile::tempdir().map_err(DistError::io("create a folder in", &std::env::temp_dir()))?;
    let folder = home.path().join("plugins");
    let mut install = Command::new(&built.program);
    install.args(["plugin", "install", "--to"]).arg(&folder).args(&built.libraries);
    // Nothing of the user who makes the release.
    install.env_clear().env("HOME", home.path());
    output_of(&mut install)?;
    let files = fs::read_dir(&folder).map_err(DistError::io("list", &folder))?;
    let files = files.map(|entry| {
        let entry = entry.map_err(DistError::io("list", &folder))?;
        file(&format!("plugins/{}", entry.file_name().to_string_lossy()), &entry.path())
    });
    files.collect()
}

fn file(path: &str, from: &Path) -> Result<Entry, DistError> {
    let bytes = fs::read(from).map_err(DistError::io("read", from))?;
    Ok(Entry { path: path.to_owned(), bytes, is_program: false })
}
