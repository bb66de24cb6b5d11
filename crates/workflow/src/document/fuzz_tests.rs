//! Fuzzing the document of a cluster.

use fuzz::fuzz;
use support::yaml;

use super::read_document;

#[test]
fn fuzz_documents() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("pivot.yaml");
    fuzz("documents", |text| {
        std::fs::write(&file, text).expect("the folder is ours");
        let _ = read_document(&file);
        let _ = yaml::secret_document(&String::from_utf8_lossy(text));
    });
}
