//! Unpacking an archive of envtest: two programs by their names, and nothing else of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

/// The most bytes of a program.
const LONGEST_PROGRAM: u64 = 1 << 30;
/// The most bytes of all that an archive holds.
const LONGEST_CONTENT: u64 = 3 << 30;
/// The most entries of an archive.
const MOST_ENTRIES: usize = 1000;

/// Writes the programs of an archive into a folder. Paths in the archive are compared, and never
/// written to.
pub(super) fn unpack(archive: &Path, programs: &[&str], to: &Path) -> Result<(), String> {
    let file = File::open(archive).map_err(|error| error.to_string())?;
    let mut archive = Archive::new(GzDecoder::new(file).take(LONGEST_CONTENT));
    let mut missing = programs.to_vec();
    let entries = archive.entries().map_err(|error| error.to_string())?;
    for (number, entry) in entries.enumerate() {
        if number >= MOST_ENTRIES {
            return Err(format!("it has more than {MOST_ENTRIES} entries"));
        }
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path().map_err(|error| error.to_string())?.into_owned();
        let is_wanted = |program: &&str| path.ends_with(Path::new("envtest").join(program));
        let Some(position) = missing.iter().position(is_wanted) else {
            continue;
        };
        if entry.header().entry_type() != EntryType::Regular {
            return Err(format!("{} in it is not a file", path.display()));
        }
        let program = missing.swap_remove(position);
        let (size, target) = (entry.size(), to.join(program));
        write_program(&mut entry, size, &target)
            .map_err(|error| format!("{} in it: {error}", path.display()))?;
    }
    match missing.first() {
        Some(program) => Err(format!("it holds no {program}")),
        None => Ok(()),
    }
}

/// Writes a program of a known length.
fn write_program(from: &mut impl Read, size: u64, to: &Path) -> io::Result<()> {
    if size > LONGEST_PROGRAM {
        return Err(io::Error::other(format!("it is longer than {LONGEST_PROGRAM} bytes")));
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(to)?;
    let written = io::copy(from, &mut file)?;
    if written == size { Ok(()) } else { Err(io::Error::other("it is cut short")) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    /// Writes an archive with entries by their raw names, as no honest program does.
    fn pack(folder: &Path, entries: &[(&str, EntryType, &[u8])]) -> std::path::PathBuf {
        let mut builder = Builder::new(Vec::new());
        for (name, kind, content) in entries {
            let mut header = Header::new_gnu();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o6777);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").expect("short");
                header.set_size(0);
            }
            header.set_cksum();
            builder.append(&header, *content).expect("packed");
        }
        let path = folder.join("archive.tar.gz");
        let mut gzip = GzEncoder::new(File::create(&path).expect("created"), Compression::fast());
        gzip.write_all(&builder.into_inner().expect("packed")).expect("written");
        gzip.finish().expect("written");
        path
    }

    const GOOD: [(&str, EntryType, &[u8]); 3] = [
        ("controller-tools/envtest/", EntryType::Directory, b""),
        ("controller-tools/envtest/etcd", EntryType::Regular, b"one"),
        ("controller-tools/envtest/kubectl", EntryType::Regular, b"two"),
    ];

    #[test]
    fn only_the_wanted_programs_are_written_and_only_into_the_folder() {
        let home = tempfile::tempdir().expect("a folder");
        let mut entries = GOOD.to_vec();
        entries.extend([
            ("../escaped", EntryType::Regular, &b"x"[..]),
            ("/tmp/escaped-by-envtest", EntryType::Regular, b"x"),
            ("controller-tools/envtest/../../../etcd", EntryType::Regular, b"x"),
            ("controller-tools/envtest/link", EntryType::Symlink, b""),
        ]);
        let archive = pack(home.path(), &entries);
        let to = home.path().join("to");
        fs::create_dir(&to).expect("created");
        unpack(&archive, &["etcd"], &to).expect("unpacked");
        let listed = |folder: &Path| {
            let names =
                fs::read_dir(folder).expect("a folder").map(|e| e.expect("one").file_name());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        assert_eq!(listed(&to), ["etcd"]);
        assert_eq!(listed(home.path()), ["archive.tar.gz", "to"]);
        assert!(!Path::new("/tmp/escaped-by-envtest").exists());
        assert_eq!(fs::read(to.join("etcd")).expect("readable"), b"one");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(to.join("etcd")).expect("there").permissions(),
        );
        assert_eq!(mode & 0o7022, 0, "neither setuid nor for others to write");
    }

    #[test]
    fn links_missing_programs_and_damage_are_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let refused = |archive: &Path| {
            let to = tempfile::tempdir().expect("a folder");
            unpack(archive, &["etcd"], to.path()).expect_err("refused")
        };
        let link = [("controller-tools/envtest/etcd", EntryType::Symlink, &b""[..])];
        assert!(refused(&pack(home.path(), &link)).contains("is not a file"));
        assert!(refused(&pack(home.path(), &GOOD[2..])).contains("holds no etcd"));
        let archive = pack(home.path(), &GOOD);
        let whole = fs::read(&archive).expect("readable");
        for cut in [0, 10, whole.len() / 2, whole.len() - 30] {
            fs::write(&archive, &whole[..cut]).expect("written");
            let _ = refused(&archive);
        }
        fs::write(&archive, "<html>").expect("written");
        let _ = refused(&archive);
    }
}
