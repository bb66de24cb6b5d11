//! Targets of fuzzing: the record of a run, and the files of a backup.

use crate::Record;

pub use crate::directory::fuzzing::{backups, manifests};

/// A record that was read names a run that can be the name of a file, and is the same when it is
/// read again.
pub fn records(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let Ok(record) = Record::parse(&text) else { return };
    assert!(!record.run.contains(['/', '.']), "files are called after runs: {}", record.run);
    assert!(record.namespace.iter().all(|namespace| !namespace.contains('/')));
    assert_eq!(Record::parse(&record.to_text()).expect("it was read before"), record);
}

#[cfg(test)]
mod tests {
    use fuzz::pass;

    #[test]
    fn fuzz_backups() {
        pass("backups", super::backups);
    }

    #[test]
    fn fuzz_manifests() {
        pass("manifests", super::manifests);
    }

    #[test]
    fn fuzz_records() {
        pass("records", super::records);
    }
}
