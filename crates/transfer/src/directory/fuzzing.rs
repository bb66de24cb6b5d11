//! Targets of fuzzing: the files of a backup.

use std::collections::BTreeMap;
use std::path::Path;

use super::files::objects;
use super::manifest::{MANIFEST, Manifest};
use super::places;

/// Reads a file of a backup, and looks at the places of its objects.
pub fn backups(text: &[u8]) {
    let files = BTreeMap::from([("a.yaml".to_owned(), text.to_vec())]);
    let folder = Path::new("backup");
    if let Ok(objects) = objects(folder, &files) {
        let _ = places::check(folder, None, &objects);
    }
}

/// Reads a manifest and compares it with an empty directory.
pub fn manifests(text: &[u8]) {
    let path = fuzz::written(MANIFEST, text);
    let folder = path.parent().expect("it is in a folder");
    let Ok(Some(manifest)) = Manifest::read(folder) else { return };
    let is_whole = manifest.check(folder, &BTreeMap::new()).is_ok();
    assert!(!is_whole || manifest.objects.is_empty());
}
