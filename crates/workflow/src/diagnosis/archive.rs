//! The archive: texts without known secrets, in a file that only its owner can read.

use std::io;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use own_files::private;
use support::redact::Redactor;
use tar::{Builder, Header};

/// Texts by their path in the archive.
pub(super) struct Archive {
    redactor: Redactor,
    texts: Vec<(String, String)>,
}

/// A text that is longer loses its beginning: the end says why something has failed.
const LONGEST: usize = 4 << 20;

impl Archive {
    /// An empty archive.
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, texts: Vec::new() }
    }

    /// Adds a text, without what looks like a secret.
    pub(super) fn add(&mut self, path: &str, text: &str) {
        // Before it is cut: half of a secret looks like none.
        let text = self.redactor.text(text);
        self.texts.push((path.to_owned(), format!("{}\n", tail(&text))));
    }

    /// Writes the archive, all of it or nothing.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        for (path, text) in &self.texts {
            let mut header = Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(jiff::Timestamp::now().as_second().unsigned_abs());
            builder.append_data(&mut header, path, text.as_bytes())?;
        }
        private::write(file, builder.into_inner()?.finish()?)
    }
}

fn tail(text: &str) -> &str {
    let mut begin = text.len().saturating_sub(LONGEST);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    text.get(begin..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_not_in_it() {
        let dir = tempfile::tempdir().expect("temp dir");
        let file = dir.path().join("a.tar.gz");
        let mut redactor = Redactor::default();
        redactor.add("hunter2-of-the-user");
        let mut archive = Archive::new(redactor);
        archive.add(
            "a/b.txt",
            "one\nthe password is hunter2-of-the-user\ntoken: abcdef.0123456789abcdef\n",
        );
        archive.write(&file).expect("written");
        let packed = std::fs::File::open(&file).expect("it is there");
        let mut unpacked = tar::Archive::new(flate2::read::GzDecoder::new(packed));
        let mut entries = unpacked.entries().expect("an archive");
        let mut entry = entries.next().expect("one text").expect("readable");
        assert_eq!(entry.path().expect("a path"), Path::new("a/b.txt"));
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("text");
        assert!(text.starts_with("one\n") && !text.contains("hunter2"), "{text}");
        assert!(!text.contains("0123456789abcdef"), "{text}");
    }

    #[test]
    fn a_secret_at_the_cut_is_not_in_it() {
        let mut redactor = Redactor::default();
        redactor.add("hunter2-of-the-user");
        let mut archive = Archive::new(redactor);
        let behind = "a".repeat(LONGEST - "of-the-user".len());
        archive.add("a.txt", &format!("hunter2-of-the-user{behind}"));
        let (_, text) = archive.texts.first().expect("one text");
        assert!(!text.contains("of-the-user"));
    }

    #[test]
    fn of_a_long_text_the_end_counts() {
        let text = format!("{}é", "a".repeat(LONGEST));
        assert!(tail(&text).ends_with("aé") && tail(&text).len() <= LONGEST);
        assert_eq!(tail("short"), "short");
    }
}
