//! The search for the parts: explicit folder, `KUBEBUILDER_ASSETS`, cache, download, build by Go.

use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use support::journal::Events;

use super::crds;
use super::error::{ControlPlaneError, FileError, PartsError};
use super::part::{Part, Recipe};
use super::process::Process;
use super::release::Release;
use super::released::{self, Mirror};
use super::sources;

/// The way to parts that are in no folder and not in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartsFrom {
    /// Released ones; built by Go where that fails.
    Auto,
    /// Released ones only.
    Download,
    /// Built by Go only.
    #[default]
    Build,
}

/// Places to look in for parts.
///
/// The order: [`PartsOptions::assets`]; the folder in `KUBEBUILDER_ASSETS`; the cache, by version;
/// then [`PartsOptions::from`]. The cache is [`PartsOptions::cache`], else
/// `KUBECTL_PIVOT_CACHE_DIR`, else `kubectl-pivot` in the user's cache folder.
#[derive(Clone, Debug, Default)]
pub struct PartsOptions {
    /// A folder that must hold `etcd` and `kube-apiserver`, and may hold other parts.
    pub assets: Option<PathBuf>,
    /// The cache folder.
    pub cache: Option<PathBuf>,
    /// The way to what is missing.
    pub from: PartsFrom,
    /// A mirror of released parts.
    pub mirror: Option<Mirror>,
    /// Variables that control planes are started with, beside those of this program.
    pub environment: Vec<(String, String)>,
}

/// The parts of a control plane.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The etcd program.
    pub etcd: PathBuf,
    /// The kube-apiserver program.
    pub kube_apiserver: PathBuf,
    /// The kube-controller-manager program.
    pub kube_controller_manager: PathBuf,
    /// Folder with Cluster API's CRDs, labelled as in its released manifests; one folder for each
    /// provider below it, one JSON file for each CRD.
    pub crds: PathBuf,
    /// The version of Cluster API that the CRDs are of.
    pub release: Release,
    /// Variables that the programs are started with, beside those of this program.
    pub environment: Vec<(String, String)>,
}

/// A program of a control plane, and the variables that it is started with.
pub(super) struct Program {
    path: PathBuf,
    environment: Vec<(String, String)>,
}

impl Program {
    /// Starts it; its output is appended to `log`.
    pub(super) fn start(&self, args: &[String], log: &Path) -> Result<Process, ControlPlaneError> {
        Process::spawn(&self.path, args, &self.environment, log).map_err(|source| {
            ControlPlaneError::Spawn { program: self.path.display().to_string(), source }
        })
    }
}

impl Parts {
    /// One of the programs.
    pub(super) fn program(&self, path: &Path) -> Program {
        Program { path: path.to_owned(), environment: self.environment.clone() }
    }

    /// Finds everything that a control plane needs, and gets what is missing: minutes the first
    /// time, milliseconds afterwards. Other processes that need the same wait for this one.
    ///
    /// # Errors
    ///
    /// A part is nowhere and cannot be had, for example because there is no Go.
    pub async fn resolve(options: &PartsOptions, events: &Events) -> Result<Self, PartsError> {
        sources::prepare(options, events).await?;
        Ok(Self {
            etcd: Part::Etcd.resolve(options, events).await?,
            kube_apiserver: Part::KubeApiserver.resolve(options, events).await?,
            kube_controller_manager: Part::KubeControllerManager.resolve(options, events).await?,
            crds: crds::resolve(&Release::pinned(), &Search::new(options)?, events).await?,
            release: Release::pinned(),
            environment: options.environment.clone(),
        })
    }
}

impl Parts {
    /// The same with the CRDs of a release of Cluster API, fetched the first time.
    ///
    /// # Errors
    ///
    /// They are not in the cache, and Go is not there or cannot fetch them.
    pub(crate) async fn with_release(
        &self,
        release: &Release,
        options: &PartsOptions,
        events: &Events,
    ) -> Result<Self, PartsError> {
        let crds = crds::resolve(release, &Search::new(options)?, events).await?;
        Ok(Self { crds, release: release.clone(), ..self.clone() })
    }
}

/// The places to look in, with options, environment and defaults already weighed.
pub(super) struct Search {
    assets: Option<PathBuf>,
    environment: Option<PathBuf>,
    cache: PathBuf,
}

/// Result of a search.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// Here it is.
    At(PathBuf),
    /// Not in any of these places.
    Nowhere(Vec<PathBuf>),
}

impl Search {
    pub(super) fn new(options: &PartsOptions) -> Result<Self, PartsError> {
        let cache = options
            .cache
            .clone()
            .or_else(|| folder_in("KUBECTL_PIVOT_CACHE_DIR"))
            .or_else(|| dirs::cache_dir().map(|dir| dir.join("kubectl-pivot")))
            .ok_or(PartsError::NoCacheFolder)?;
        // Go runs in a folder of its own, where a relative path would lead elsewhere.
        let cache = std::path::absolute(&cache).map_err(FileError::of("find", &cache))?;
        Ok(Self {
            assets: options.assets.clone(),
            environment: folder_in("KUBEBUILDER_ASSETS"),
            cache,
        })
    }

    /// The folder that finished parts and work in progress are kept in.
    pub(super) fn cache(&self) -> PathBuf {
        self.cache.join("parts")
    }

    /// Returns where the cache keeps a program of the pinned version.
    pub(super) fn cached(&self, recipe: &Recipe) -> PathBuf {
        self.cached_at(recipe.name, recipe.version())
    }

    /// Returns the place of a program of a version in the cache.
    pub(super) fn cached_at(&self, name: &str, version: &str) -> PathBuf {
        self.cache().join(format!("{name}-{version}")).join(name)
    }

    /// Looks for a part without building it.
    pub(super) fn find(&self, part: Part) -> Result<Found, PartsError> {
        let recipe = part.recipe();
        let name = recipe.name;
        let mut looked_in = Vec::new();
        if let Some(dir) = &self.assets {
            let required = matches!(part, Part::Etcd | Part::KubeApiserver);
            let path = dir.join(name);
            if required && !is_program(&path) {
                return Err(PartsError::NotInAssets { part, dir: dir.clone() });
            }
            looked_in.push(path);
        }
        looked_in.extend(self.environment.as_ref().map(|dir| dir.join(name)));
        looked_in.push(self.cached(&recipe));
        match looked_in.iter().find(|path| is_program(path)) {
            Some(path) => Ok(Found::At(path.clone())),
            None => Ok(released::cached(self, part).map_or(Found::Nowhere(looked_in), Found::At)),
        }
    }
}

fn folder_in(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn program(path: PathBuf) -> PathBuf {
        fs::create_dir_all(path.parent().expect("has a folder")).expect("create folder");
        fs::write(&path, "").expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("make executable");
        path
    }

    #[test]
    fn explicit_folder_wins_over_environment_over_cache() {
        let dir = tempfile::tempdir().expect("temp dir");
        let mut search =
            Search { assets: None, environment: None, cache: dir.path().join("cache") };
        let cached = search.cached(&Part::Etcd.recipe());
        assert_eq!(search.find(Part::Etcd).expect("find"), Found::Nowhere(vec![cached.clone()]));
        program(cached.clone());
        assert_eq!(search.find(Part::Etcd).expect("find"), Found::At(cached));
        search.environment = Some(dir.path().join("env"));
        let in_environment = program(dir.path().join("env/etcd"));
        assert_eq!(search.find(Part::Etcd).expect("find"), Found::At(in_environment));
        search.assets = Some(dir.path().join("assets"));
        let explicit = program(dir.path().join("assets/etcd"));
        assert_eq!(search.find(Part::Etcd).expect("find"), Found::At(explicit));
    }

    #[test]
    fn an_explicit_folder_must_hold_the_servers_but_not_clusterctl() {
        let dir = tempfile::tempdir().expect("temp dir");
        let search = Search {
            assets: Some(dir.path().to_owned()),
            environment: None,
            cache: dir.path().join("cache"),
        };
        let error = search.find(Part::KubeApiserver).expect_err("is missing");
        assert!(
            error.to_string().starts_with("kube-apiserver is not in the assets folder"),
            "{error}"
        );
        assert!(error.hint().is_some());
        assert!(
            matches!(search.find(Part::Clusterctl), Ok(Found::Nowhere(places)) if places.len() == 2)
        );
    }

    #[test]
    fn a_file_that_cannot_be_run_is_not_a_part() {
        let dir = tempfile::tempdir().expect("temp dir");
        let search = Search {
            assets: None,
            environment: Some(dir.path().to_owned()),
            cache: dir.path().join("c"),
        };
        fs::write(dir.path().join("etcd"), "").expect("write");
        assert!(matches!(search.find(Part::Etcd), Ok(Found::Nowhere(_))));
    }
}
