//! Target of fuzzing: the document of a cluster.

use support::yaml;

use super::{read_document, write_document};

/// A document that was read is the same when it is written and read again.
pub fn documents(text: &[u8]) {
    let _ = yaml::secret_document(&String::from_utf8_lossy(text));
    let Ok(document) = read_document(&fuzz::written("pivot.yaml", text)) else { return };
    let Ok(written) = write_document(&document) else { return };
    let again = read_document(&fuzz::written("again.yaml", written.as_bytes()));
    assert_eq!(again.expect("it was written here"), document, "{written}");
}

#[cfg(test)]
mod tests {
    use fuzz::pass;

    #[test]
    fn fuzz_documents() {
        pass("documents", super::documents);
    }
}
