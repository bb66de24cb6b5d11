//! Checking before the first step, merging at the end, and what a dry-run says of it.

use std::path::PathBuf;

use support::yaml;

use super::access::{Access, Names, read_or_empty};
use super::config::{ConfigFile, UserConfig};
use super::error::UserKubeconfigError;
use super::files::{self, Files};
use super::lock::{self, Lock};

/// The result of a merge, or its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// Name of the context.
    pub(crate) context: String,
    /// The files that it is written to; none if all was there already.
    pub(crate) files: Vec<PathBuf>,
    /// True if kubectl uses the context by itself.
    pub(crate) is_current: bool,
}

/// Says what a merge would do, if it can be done. Changes nothing and waits for no lock.
///
/// # Errors
/// A file cannot be used, or a name is that of something else.
pub(crate) fn preview(
    names: &Names,
    access: Option<&Access>,
) -> Result<Merged, UserKubeconfigError> {
    let config = load(&find()?)?;
    config.check(names, access)?;
    let files = config.places(names).into_iter().cloned().collect();
    let is_current = config.current_context().is_none_or(|name| name == names.context);
    Ok(Merged { context: names.context.clone(), files, is_current })
}

/// Checks that a merge can be done later: [`preview`], the locks, the right to write.
///
/// # Errors
/// See [`preview`]; also a file that is locked or cannot be written.
pub(crate) async fn check(
    names: &Names,
    access: Option<&Access>,
    owner: &str,
) -> Result<Merged, UserKubeconfigError> {
    let merged = preview(names, access)?;
    for path in &merged.files {
        lock::wait_until_free(path, owner).await?;
        files::check_writable(path).map_err(|source| UserKubeconfigError::File {
            action: "write",
            path: path.clone(),
            source,
        })?;
    }
    Ok(merged)
}

/// Merges. What is there already is not written again. Several files are written one after the
/// other, each as a whole; a merge that was interrupted is completed by the next one.
///
/// # Errors
/// See [`check`]; the user's kubeconfig is complete then, with or without entries.
pub(crate) async fn merge(access: &Access, owner: &str) -> Result<Merged, UserKubeconfigError> {
    let found = find()?;
    let mut locks = Vec::new();
    for path in preview(&access.names, Some(access))?.files {
        locks.push(Lock::take(&path, owner).await?);
    }
    // Read again: it may have changed before it was locked.
    let mut config = load(&found)?;
    config.check(&access.names, Some(access))?;
    let mut files = Vec::new();
    for file in config.merge(access) {
        let written = files::write(&file.path, &yaml::document(&file.content));
        written.map_err(|source| UserKubeconfigError::File {
            action: "write",
            path: file.path.clone(),
            source,
        })?;
        files.push(file.path.clone());
    }
    let context = access.names.context.clone();
    let is_current = config.current_context() == Some(&context);
    Ok(Merged { context, files, is_current })
}

fn find() -> Result<Files, UserKubeconfigError> {
    Files::find().ok_or(UserKubeconfigError::NoPlace)
}

fn load(files: &Files) -> Result<UserConfig, UserKubeconfigError> {
    let read =
        |path: &PathBuf| Ok(ConfigFile { path: path.clone(), content: read_or_empty(path)? });
    let read: Result<_, UserKubeconfigError> = files.all.iter().map(read).collect();
    Ok(UserConfig { files: read?, default: files.default })
}
