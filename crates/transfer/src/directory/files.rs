//! The files of a directory: their names, and reading them. Writing is in `writer.rs`.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use capi::{Object, valid};

use super::manifest::{MANIFEST, sha256};
use crate::error::PhaseError;
use crate::run::Run;

/// Gives every object its file name; two kinds of the same name get their group into it.
pub(super) fn names<'a>(
    objects: impl Iterator<Item = &'a Object>,
    ending: &str,
) -> Vec<(String, &'a Object)> {
    let mut taken = HashSet::new();
    objects
        .map(|object| {
            let plain = name(object.kind(), object, ending);
            let name = if taken.insert(plain.clone()) {
                plain
            } else {
                name(&format!("{}.{}", object.kind(), object.group()), object, ending)
            };
            (name, object)
        })
        .collect()
}

/// The longest file name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// Characters of a digest in a name.
const DIGEST: usize = 16;

/// The name that clusterctl gives; where no file system would take it, its beginning and a digest
/// of it.
fn name(kind: &str, object: &Object, ending: &str) -> String {
    let ending = format!(".yaml{ending}");
    let stem = format!("{kind}_{}_{}", object.namespace().unwrap_or_default(), object.name());
    if stem.len() + ending.len() <= LONGEST_NAME {
        return stem + &ending;
    }
    let digest = sha256(stem.as_bytes());
    let (digest, _) = digest.split_at(DIGEST);
    let end = stem.floor_char_boundary(LONGEST_NAME - ending.len() - DIGEST - 1);
    let (beginning, _) = stem.split_at(end);
    format!("{beginning}-{digest}{ending}")
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PhaseError {
    let path = path.display().to_string();
    move |source| PhaseError::File { action, path, source }
}

/// The most bytes of a file of a directory: one object, or a few in one file.
pub(super) const LONGEST_FILE: u64 = 64 << 20;

/// The beginning of encrypted files.
const AGE: &[u8] = b"age-encryption.org/";

/// The most bytes of all files of a directory.
const LONGEST_DIRECTORY: u64 = 2 << 30;

/// Warns of a directory that others can change: what is in it gets into a cluster, or is full of
/// Secrets. It is no error, since volumes of containers and homes of directory services often look
/// so.
pub(super) fn warn_if_not_own(run: &Run, directory: &Path) {
    if let Err(problem) = own_files::check_place(directory) {
        let directory = directory.display();
        run.events.warning(format!("others can change what is in {directory}: {problem}"));
    }
}

/// Reads every file of a directory but the manifest, by name.
pub(super) fn read(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, PhaseError> {
    let mut files = BTreeMap::new();
    let mut left = LONGEST_DIRECTORY;
    for entry in fs::read_dir(directory).map_err(failed("read", directory))? {
        let path = entry.map_err(failed("read", directory))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != MANIFEST {
            let limit = LONGEST_FILE.min(left);
            let bytes = own_files::read(&path, limit).map_err(failed("read", &path))?;
            left -= (bytes.len() as u64).min(left);
            files.insert(name, bytes);
        }
    }
    Ok(files)
}

/// sha256 of every file.
pub(super) fn sums(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, String> {
    files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect()
}

/// The objects in the files. A file may hold several documents, in YAML or JSON.
pub(super) fn objects(
    directory: &Path,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<Vec<Object>, PhaseError> {
    let mut objects = Vec::new();
    for (name, bytes) in files {
        objects.extend(parse(&directory.join(name), bytes)?);
    }
    Ok(objects)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Object>, PhaseError> {
    let bad = |problem: String| PhaseError::BadFile { path: path.display().to_string(), problem };
    if bytes.starts_with(AGE) {
        let problem = "it is encrypted; `kubectl pivot restore` reads it with --identity";
        return Err(bad(problem.to_owned()));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| bad(format!("not text: {error}")))?;
    // Both programs write JSON, which is read ten times as fast as YAML.
    let documents = match serde_json::from_str(text) {
        Ok(document) => vec![document],
        Err(_) => support::yaml::documents(text)
            .map_err(|error| bad(format!("not valid YAML: {error}")))?,
    };
    let objects: Vec<Object> = documents.into_iter().map(Object::new).collect();
    if objects.is_empty() {
        return Err(bad("it holds no object; the file may have been cut short".to_owned()));
    }
    for object in &objects {
        let required = [
            ("apiVersion", object.api_version()),
            ("kind", object.kind()),
            ("metadata.name", object.name()),
            ("metadata.uid", object.uid()),
        ];
        if let Some((field, _)) = required.into_iter().find(|(_, value)| value.is_empty()) {
            return Err(bad(format!("not an object of a backup: {field} is missing")));
        }
        if let Some(problem) = valid::problem_of_names(object, false) {
            return Err(bad(format!("not an object of a backup: {problem}")));
        }
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, name: &str) -> Object {
        Object::new(json!({"apiVersion": api_version, "kind": kind,
                "metadata": {"name": name, "uid": name, "namespace": "ns"}}))
    }

    #[test]
    fn file_names_are_those_of_clusterctl_and_never_clash() {
        let objects = [object("a.io/v1", "Thing", "x"), object("b.io/v1", "Thing", "x")];
        let named: Vec<String> =
            names(objects.iter(), "").into_iter().map(|(name, _)| name).collect();
        assert_eq!(named, ["Thing_ns_x.yaml", "Thing.b.io_ns_x.yaml"]);
    }

    #[test]
    fn a_name_that_no_file_system_takes_is_shortened_and_stays_unique() {
        let long = "n".repeat(253);
        let objects = [object("v1", "Secret", &long), object("v1", "Secret", &format!("{long}b"))];
        let named: Vec<String> =
            names(objects.iter(), ".age").into_iter().map(|(name, _)| name).collect();
        for name in &named {
            assert!(name.len() == LONGEST_NAME && name.starts_with("Secret_ns_nnn"), "{name}");
            assert!(name.ends_with(".yaml.age"), "{name}");
        }
        assert_ne!(named[0], named[1]);
        let longest = "n".repeat(LONGEST_NAME - "Secret_ns_.yaml.age".len());
        let object = object("v1", "Secret", &longest);
        let named = names(std::iter::once(&object), "");
        assert_eq!(named[0].0, format!("Secret_ns_{longest}.yaml"));
    }

    #[test]
    fn files_that_are_no_objects_are_named() {
        let home = tempfile::tempdir().expect("a folder");
        let objects = || objects(home.path(), &read(home.path()).expect("readable"));
        let problem = |content: &[u8]| {
            fs::write(home.path().join("a.yaml"), content).expect("written");
            objects().expect_err("not an object").to_string()
        };
        assert!(problem(b"kind: [").contains("a.yaml: not valid YAML"));
        assert!(problem(b"\xff\xfe").contains("a.yaml: not text"));
        for empty in ["", "\n", "---\n"] {
            let problem = problem(empty.as_bytes());
            assert!(problem.contains("a.yaml: it holds no object"), "{empty:?}: {problem}");
        }
        let incomplete = problem(b"kind: A\napiVersion: v1\nmetadata: {name: x}\n");
        assert!(incomplete.ends_with("metadata.uid is missing"), "{incomplete}");
        let hostile = problem(b"kind: A\napiVersion: v1\nmetadata: {name: ../x, uid: u}\n");
        assert!(hostile.contains("is not a name of an object"), "{hostile}");
    }
}
