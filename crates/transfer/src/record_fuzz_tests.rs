//! Fuzzing the record of a move.

use fuzz::fuzz;

use crate::Record;

#[test]
fn fuzz_records() {
    fuzz("records", |text| {
        let text = String::from_utf8_lossy(text);
        let Ok(record) = Record::parse(&text) else { return };
        assert!(!record.run.contains(['/', '.']), "files are called after runs: {}", record.run);
        assert!(record.namespace.iter().all(|namespace| !namespace.contains('/')));
        assert_eq!(Record::parse(&record.to_text()).expect("it was read before"), record);
    });
}
