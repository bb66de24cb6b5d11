//! Writing archives whose bytes depend on their contents only.

use std::fs;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::error::DistError;
use crate::layout::Entry;

/// An archive to be written.
#[derive(Debug)]
pub struct Archive<'a> {
    /// The folder that holds all files in it.
    pub root: &'a str,
    /// The time of all files, in seconds since 1970.
    pub time: u64,
    /// From 0, fast and large, to 9.
    pub compression: u32,
}

impl Archive<'_> {
    /// Writes `ROOT.tar.gz` into `folder`, and returns its path.
    ///
    /// No owner, no order of a file system and no time of a build is in it, no links, and no header
    /// beyond the ones that every program reads.
    ///
    /// # Errors
    /// The folder is not writable.
    pub fn write(&self, entries: &[Entry], folder: &Path) -> Result<PathBuf, DistError> {
        let path = folder.join(format!("{}.tar.gz", self.root));
        let bytes = self.bytes(entries).map_err(DistError::io("pack", &path))?;
        fs::create_dir_all(folder).map_err(DistError::io("create", folder))?;
        fs::write(&path, bytes).map_err(DistError::io("write", &path))?;
        Ok(path)
    }

    fn bytes(&self, entries: &[Entry]) -> std::io::Result<Vec<u8>> {
        let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(self.compression));
        let mut tar = Builder::new(gzip);
        for entry in entries {
            let mut header = self.header(entry);
            tar.append_data(&mut header, format!("{}/{}", self.root, entry.path), &*entry.bytes)?;
        }
        tar.into_inner()?.finish()
    }

    fn header(&self, entry: &Entry) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(if entry.is_program { 0o755 } else { 0o644 });
        header.set_mtime(self.time);
        header.set_uid(0);
        header.set_gid(0);
        header
    }
}

/// The sha256 of a file, in hexadecimal.
///
/// # Errors
/// The file cannot be read.
pub fn sha256(path: &Path) -> Result<String, DistError> {
    let bytes = fs::read(path).map_err(DistError::io("read", path))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn an_archive_holds_regular_files_of_nobody_with_the_time_given() {
        let entry = |path: &str, is_program| Entry {
            path: path.to_owned(),
            bytes: path.as_bytes().to_vec(),
            is_program,
        };
        let long = format!("plugins/{}.plugin.json", "x".repeat(70));
        let entries = [entry("kubectl-pivot", true), entry(&long, false)];
        let archive = Archive { root: "kubectl-pivot-1", time: 1_700_000_000, compression: 6 };
        let bytes = archive.bytes(&entries).expect("in memory");
        assert_eq!(bytes, archive.bytes(&entries).expect("in memory"));

        let mut tar = tar::Archive::new(GzDecoder::new(&*bytes));
        let mut seen = Vec::new();
        for file in tar.entries().expect("an archive") {
            let file = file.expect("whole");
            let header = file.header();
            assert_eq!(header.entry_type(), EntryType::Regular);
            assert_eq!((header.uid().ok(), header.mtime().ok()), (Some(0), Some(1_700_000_000)));
            let path = file.path().expect("UTF-8").display().to_string();
            seen.push((path, header.mode().expect("a number")));
        }
        let expected = [("kubectl-pivot", 0o755), (&*long, 0o644)]
            .map(|(path, mode)| (format!("kubectl-pivot-1/{path}"), mode));
        assert_eq!(seen, expected);
    }
}
