//! Fuzzing the files of a backup.

use std::collections::BTreeMap;
use std::path::Path;

use fuzz::fuzz;

use super::files::objects;
use super::manifest::{MANIFEST, Manifest};
use super::places;

#[test]
fn fuzz_backups() {
    fuzz("backups", |text| {
        let files = BTreeMap::from([("a.yaml".to_owned(), text.to_vec())]);
        let folder = Path::new("backup");
        if let Ok(objects) = objects(folder, &files) {
            let _ = places::check(folder, None, &objects);
        }
    });
}

#[test]
fn fuzz_manifests() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fuzz("manifests", |text| {
        std::fs::write(folder.path().join(MANIFEST), text).expect("the folder is ours");
        let Ok(Some(manifest)) = Manifest::read(folder.path()) else { return };
        assert!(
            manifest.check(folder.path(), &BTreeMap::new()).is_err() || manifest.objects.is_empty()
        );
    });
}
