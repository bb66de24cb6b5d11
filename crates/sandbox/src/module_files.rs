//! Files that are made from those of Go modules once, and kept in the cache by version.

use std::fs;
use std::path::{Path, PathBuf};

use support::journal::Events;

use super::error::{FileError, PartsError};
use super::go::{self, Job, Lock};
use super::part::{CLUSTER_API, CLUSTER_API_MODULE, CLUSTER_API_TEST_MODULE, Wrapper};
use super::parts::Search;
use super::release::Release;

/// The Go modules of Cluster API in the module cache.
pub(super) struct Modules {
    main: PathBuf,
    test: PathBuf,
}

impl Modules {
    /// The folder of the main module, or of the one with the development providers.
    pub(super) fn folder(&self, in_test_module: bool) -> &Path {
        if in_test_module { &self.test } else { &self.main }
    }
}

/// A folder of the cache, filled by `fill` from Cluster API's modules if it is not there yet: the
/// main module of a release, and the pinned one with the development providers.
pub(super) async fn resolve(
    (folder, what): (&str, &str),
    release: &Release,
    search: &Search,
    events: &Events,
    fill: impl FnOnce(&Modules, &Path) -> Result<(), PartsError>,
) -> Result<PathBuf, PartsError> {
    let main = main_module(release);
    let modules = [main.as_str(), CLUSTER_API_TEST_MODULE];
    let wanted = Wanted { wrapper: &CLUSTER_API, modules, folder, what };
    wanted.resolve(search, events, |[main, test], new| fill(&Modules { main, test }, new)).await
}

/// The main module as Go is asked for it. Go checks one that is not pinned here against its
/// checksum database.
pub(super) fn main_module(release: &Release) -> String {
    match release.is_pinned() {
        true => CLUSTER_API_MODULE.to_owned(),
        false => format!("{CLUSTER_API_MODULE}@{release}"),
    }
}

/// A folder of the cache and what it is made from.
pub(super) struct Wanted<'a, const N: usize> {
    /// The Go module that pins the modules.
    pub(super) wrapper: &'a Wrapper,
    /// The modules, as the wrapper pins them, or with a version: `path@v1.2.3`.
    pub(super) modules: [&'a str; N],
    /// Name of the folder, with the version.
    pub(super) folder: &'a str,
    /// Name of its contents with the version, for messages; a plural.
    pub(super) what: &'a str,
}

impl<const N: usize> Wanted<'_, N> {
    /// The folder, filled by `fill` if it is not there yet: whole or not at all.
    pub(super) async fn resolve(
        &self,
        search: &Search,
        events: &Events,
        fill: impl FnOnce([PathBuf; N], &Path) -> Result<(), PartsError>,
    ) -> Result<PathBuf, PartsError> {
        let what = self.what;
        let target = search.cache().join(self.folder);
        if target.exists() {
            return Ok(target);
        }
        let _lock = Lock::acquire(&search.cache(), what, events).await?;
        if target.exists() {
            return Ok(target);
        }
        let doing = format!("fetching {what} as Go modules");
        let without_go = PartsError::MissingCrds { what: what.to_owned(), dir: target.clone() };
        let job = Job { command: "mod download", what, doing: &doing, without_go };
        let found = go::module_folders(self.wrapper, self.modules, search, job, events).await?;
        let new = go::folder_in_progress(&search.cache())?;
        fill(found, new.path())?;
        // `keep` first: what has been renamed must not be deleted.
        fs::rename(new.keep(), &target).map_err(FileError::of("write", &target))?;
        Ok(target)
    }
}
