//! The files of a directory: names, private modes, all or nothing.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::super::error::PhaseError;
use crate::capi::Object;

/// Gives every object its file name; two kinds of the same name get their group into it.
pub(super) fn names<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<(String, &'a Object)> {
    let mut taken = HashSet::new();
    objects
        .map(|object| {
            let plain = name(object.kind(), object);
            let name = if taken.insert(plain.clone()) {
                plain
            } else {
                name(&format!("{}.{}", object.kind(), object.group()), object)
            };
            (name, object)
        })
        .collect()
}

fn name(kind: &str, object: &Object) -> String {
    format!("{kind}_{}_{}.yaml", object.namespace().unwrap_or_default(), object.name())
}

/// A directory that is being filled. Nothing shows in it before [`Writer::publish`].
pub(super) struct Writer {
    staging: PathBuf,
    target: PathBuf,
    names: Vec<String>,
}

impl Writer {
    /// Prepares a directory, which is created if it is not there.
    ///
    /// Files of other objects in it would be restored together with this backup, so it has to be
    /// empty of them.
    pub(super) fn prepare(target: &Path, names: &HashSet<&str>) -> Result<Self, PhaseError> {
        match fs::read_dir(target) {
            Ok(entries) => {
                for entry in entries {
                    let name = entry
                        .map_err(failed("read", target))?
                        .file_name()
                        .to_string_lossy()
                        .into_owned();
                    if !names.contains(name.as_str()) {
                        let problem = format!(
                            "the directory holds {name}, which is not part of this backup; use an empty one"
                        );
                        return Err(PhaseError::BadFile {
                            path: target.display().to_string(),
                            problem,
                        });
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => make_private(target)?,
            Err(error) => return Err(failed("read", target)(error)),
        }
        let mut staging = target.as_os_str().to_owned();
        staging.push(format!(".partial-{}", std::process::id()));
        let staging = PathBuf::from(staging);
        make_private(&staging)?;
        Ok(Self { staging, target: target.to_owned(), names: Vec::new() })
    }

    /// Writes one object, readable by the user only: it may be a Secret.
    pub(super) fn write(&mut self, name: String, object: &Object) -> Result<(), PhaseError> {
        let path = self.staging.join(&name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("write", &path))?;
        file.write_all(object.value().to_string().as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed("write", &path))?;
        self.names.push(name);
        Ok(())
    }

    /// Moves all files to their place.
    pub(super) fn publish(self) -> Result<(), PhaseError> {
        for name in &self.names {
            let to = self.target.join(name);
            fs::rename(self.staging.join(name), &to).map_err(failed("write", &to))?;
        }
        let directory = File::open(&self.target).map_err(failed("open", &self.target))?;
        directory.sync_all().map_err(failed("write", &self.target))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whatever is left in it was not published; what cannot be deleted harms nobody.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

fn make_private(path: &Path) -> Result<(), PhaseError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("create", path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PhaseError {
    let path = path.display().to_string();
    move |source| PhaseError::File { action, path, source }
}

/// Reads all objects of a directory. A file may hold several documents, in YAML or JSON.
pub(super) fn read(directory: &Path) -> Result<Vec<Object>, PhaseError> {
    let entries = fs::read_dir(directory).map_err(failed("read", directory))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(failed("read", directory))?.path());
    }
    paths.sort();
    let mut objects = Vec::new();
    for path in paths {
        objects.extend(read_file(&path)?);
    }
    Ok(objects)
}

fn read_file(path: &Path) -> Result<Vec<Object>, PhaseError> {
    let bad = |problem: String| PhaseError::BadFile { path: path.display().to_string(), problem };
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    let documents =
        crate::yaml::documents(&text).map_err(|error| bad(format!("not valid YAML: {error}")))?;
    let objects: Vec<Object> = documents.into_iter().map(Object::new).collect();
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
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, name: &str) -> Object {
        Object::new(
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "uid": name, "namespace": "ns"}}),
        )
    }

    #[test]
    fn file_names_are_those_of_clusterctl_and_never_clash() {
        let objects = [object("a.io/v1", "Thing", "x"), object("b.io/v1", "Thing", "x")];
        let named: Vec<String> = names(objects.iter()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(named, ["Thing_ns_x.yaml", "Thing.b.io_ns_x.yaml"]);
    }

    #[test]
    fn a_backup_shows_only_when_it_is_complete() {
        let home = tempfile::tempdir().expect("a folder");
        let target = home.path().join("backup");
        let names = HashSet::from(["Thing_ns_x.yaml"]);
        let mut writer = Writer::prepare(&target, &names).expect("prepared");
        writer
            .write("Thing_ns_x.yaml".to_owned(), &object("a.io/v1", "Thing", "x"))
            .expect("written");
        assert_eq!(fs::read_dir(&target).expect("there").count(), 0);
        writer.publish().expect("published");
        assert_eq!(read(&target).expect("readable").len(), 1);
        assert_eq!(
            fs::read_dir(home.path()).expect("there").count(),
            1,
            "the staging folder is gone"
        );
        assert!(Writer::prepare(&target, &names).is_ok(), "the same backup again");
        assert!(Writer::prepare(&target, &HashSet::new()).is_err(), "another backup");
    }

    #[test]
    fn files_that_are_no_objects_are_named() {
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join("a.yaml"), "kind: [").expect("written");
        assert!(
            read(home.path()).expect_err("broken").to_string().contains("a.yaml: not valid YAML")
        );
        fs::write(home.path().join("a.yaml"), "kind: A\napiVersion: v1\nmetadata: {name: x}\n")
            .expect("written");
        let error = read(home.path()).expect_err("incomplete").to_string();
        assert!(error.ends_with("metadata.uid is missing"), "{error}");
    }
}
