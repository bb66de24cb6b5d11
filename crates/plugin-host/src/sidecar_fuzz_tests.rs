//! Fuzzing the file beside a plugin.

use fuzz::fuzz;

use crate::Sidecar;

#[test]
fn fuzz_sidecars() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("libfoo.plugin.json");
    let library = folder.path().join("libfoo.so");
    fuzz("sidecars", |text| {
        std::fs::write(&file, text).expect("the folder is ours");
        let _ = Sidecar::read(&library);
    });
}
