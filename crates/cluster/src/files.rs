//! The files of a kubeconfig: itself, certificates, keys and tokens. They may be pipes, such as
//! `<(...)` of a shell, so they are read to their end, which a device need not have.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The most that is read of a file.
const LARGEST_MIB: u64 = 16;

/// Reads a file.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let limit = LARGEST_MIB << 20;
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {LARGEST_MIB} MiB")));
    }
    Ok(bytes)
}

/// Reads a file of text.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|_| io::Error::other("it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_without_end_is_an_error() {
        let error = read(Path::new("/dev/zero")).expect_err("it has no end");
        assert_eq!(error.to_string(), "it is larger than 16 MiB");
    }

    #[test]
    fn a_file_is_read_to_its_limit() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let of_length = |length| file.as_file().set_len(length).expect("the file is ours");
        of_length(LARGEST_MIB << 20);
        assert_eq!(read(file.path()).expect("it fits").len() as u64, LARGEST_MIB << 20);
        of_length((LARGEST_MIB << 20) + 1);
        assert!(read(file.path()).is_err());
        std::fs::write(file.path(), b"\xff").expect("the file is ours");
        assert!(read_text(file.path()).is_err(), "it is not text");
    }
}
