//! A program of a Go module that somebody else pins: kubectl and its plugin manager, which only
//! tests run.

use std::path::PathBuf;

use support::journal::Events;

use super::error::PartsError;
use super::go;
use super::part::{Recipe, Stamp, Wrapper};
use super::parts::{PartsOptions, Search};

/// A program at the version that a wrapper module pins.
#[derive(Debug)]
pub struct PinnedProgram {
    /// The Go module that pins the module.
    pub wrapper: Wrapper,
    /// Path of the module.
    pub module: &'static str,
    /// The Go package of the program.
    pub package: &'static str,
    /// File name of the program.
    pub name: &'static str,
    /// The Go package whose variables tell the version, as Kubernetes' programs have it.
    pub version_package: Option<&'static str>,
    /// The time that it takes to build, for messages.
    pub duration: &'static str,
}

impl PinnedProgram {
    /// The program in the cache, built the first time.
    ///
    /// # Errors
    /// It is not there, and Go is not, or cannot build it.
    pub async fn resolve(
        self,
        options: &PartsOptions,
        events: &Events,
    ) -> Result<PathBuf, PartsError> {
        let search = Search::new(options)?;
        let recipe = Recipe {
            name: self.name,
            wrapper: self.wrapper,
            module: self.module,
            package: self.package,
            stamp: self.version_package.map(Stamp::Kubernetes),
            duration: self.duration,
        };
        let path = search.cached(&recipe);
        if path.exists() {
            return Ok(path);
        }
        let what = format!("programs of {} {}", recipe.module, recipe.version());
        let without_go = PartsError::MissingCrds { what, dir: path };
        go::build(&recipe, &search, without_go, events).await
    }
}
