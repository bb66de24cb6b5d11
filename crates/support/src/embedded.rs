//! Long texts that the program has within, such as sources and checksums: compressed, since every
//! download of the program has them, and few runs need them.

use std::io::Read as _;

use flate2::read::DeflateDecoder;

/// Returns a text that a build script has compressed with deflate.
///
/// # Panics
/// When the build script has not.
#[must_use]
pub fn text(compressed: &[u8]) -> String {
    let mut text = String::new();
    let read = DeflateDecoder::new(compressed).read_to_string(&mut text);
    read.expect("the build script has compressed a text");
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    #[test]
    fn a_text_is_as_it_was() {
        let original = "a sum\n".repeat(1000) + "é";
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(original.as_bytes()).expect("memory");
        let compressed = encoder.finish().expect("memory");
        assert!(compressed.len() < original.len() / 10);
        assert_eq!(text(&compressed), original);
    }
}
