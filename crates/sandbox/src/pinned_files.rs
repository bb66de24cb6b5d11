//! Files of a Go module that somebody else pins: the CRDs of a provider that only tests install.

use std::fs;
use std::path::{Path, PathBuf};

use support::journal::Events;

use super::error::{FileError, PartsError};
use super::module_files::Wanted;
use super::part::{Wrapper, pinned_version};
use super::parts::{PartsOptions, Search};

/// Files of a Go module at the version that a wrapper module pins.
#[derive(Debug)]
pub struct PinnedFiles {
    /// The Go module that pins the module.
    pub wrapper: Wrapper,
    /// Path of the module.
    pub module: &'static str,
    /// The files in it, with different names.
    pub files: &'static [&'static str],
    /// Name of their folder in the cache, without the version.
    pub name: &'static str,
    /// Name of the files for messages; a plural.
    pub what: &'static str,
}

impl PinnedFiles {
    /// The version of the module, for example `v0.6.4`.
    ///
    /// # Panics
    /// When the wrapper does not require the module.
    #[must_use]
    pub fn version(&self) -> &'static str {
        pinned_version(self.wrapper.go_mod, self.module)
    }

    /// The folder of the cache that has the files, each by its name alone; fetched the first time.
    ///
    /// # Errors
    /// They are not there, and Go is not, or cannot fetch the module.
    pub async fn resolve(
        &self,
        options: &PartsOptions,
        events: &Events,
    ) -> Result<PathBuf, PartsError> {
        let (wrapper, modules) = (&self.wrapper, [self.module]);
        let folder = self.folder();
        let what = format!("{} {}", self.what, self.version());
        Wanted { wrapper, modules, folder: &folder, what: &what }
            .resolve(&Search::new(options)?, events, |[module], new| self.copy(&module, new))
            .await
    }

    fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version())
    }

    fn copy(&self, module: &Path, to: &Path) -> Result<(), PartsError> {
        for file in self.files {
            let from = module.join(file);
            let text = fs::read(&from).map_err(FileError::of("read", &from))?;
            let target = to.join(from.file_name().unwrap_or_default());
            fs::write(&target, text).map_err(FileError::of("write", &target))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GoSum;

    const FILES: PinnedFiles = PinnedFiles {
        wrapper: Wrapper {
            go_mod: "module a.invalid/w\ngo 1.26.0\nrequire a.invalid/b v1.2.3\n",
            go_sum: GoSum::Plain(""),
            tools_go: "package w\n",
        },
        module: "a.invalid/b",
        files: &["metadata.yaml", "config/crds/a.yaml"],
        name: "some-crds",
        what: "some CRDs",
    };

    #[tokio::test]
    async fn files_in_the_cache_are_not_fetched_again() {
        let cache = tempfile::tempdir().expect("temp dir");
        let there = cache.path().join("parts/some-crds-v1.2.3");
        fs::create_dir_all(&there).expect("create");
        let options =
            PartsOptions { cache: Some(cache.path().to_owned()), ..PartsOptions::default() };
        let found = FILES.resolve(&options, &Events::none()).await.expect("no Go is needed");
        assert_eq!(found, there);
    }

    #[test]
    fn files_are_copied_by_their_names() {
        let (module, to) =
            (tempfile::tempdir().expect("temp dir"), tempfile::tempdir().expect("temp dir"));
        fs::create_dir_all(module.path().join("config/crds")).expect("create");
        fs::write(module.path().join("metadata.yaml"), "m").expect("write");
        let error = FILES.copy(module.path(), to.path()).expect_err("one is not there");
        assert!(error.to_string().ends_with("config/crds/a.yaml"), "{error}");
        fs::write(module.path().join("config/crds/a.yaml"), "a").expect("write");
        FILES.copy(module.path(), to.path()).expect("both are there");
        assert_eq!(fs::read_to_string(to.path().join("a.yaml")).expect("readable"), "a");
    }
}
