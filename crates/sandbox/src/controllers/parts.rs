//! The parts of controllers: four programs and the manifests of their webhooks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::journal::Events;

use super::manager::{IN_MEMORY, Manager, STATELESS};
use super::webhooks;
use crate::error::PartsError;
use crate::part::Part;
use crate::parts::{Parts, PartsOptions, Search};
use crate::{crds, go};

/// Options for Cluster API's controllers in a sandbox.
#[derive(Clone, Debug)]
pub struct ControllersOptions {
    /// The `kubectl-pivot` program, whose hidden command `sandbox relay` is run beside them.
    pub program: PathBuf,
}

impl ControllersOptions {
    /// With the program that runs.
    ///
    /// # Errors
    /// The operating system does not tell its path.
    pub fn of_this_program() -> io::Result<Self> {
        Ok(Self { program: std::env::current_exe()? })
    }
}

/// Programs and manifests, found or built.
#[derive(Debug)]
pub(crate) struct ControllerParts {
    /// Of each cluster, in their order.
    clusters: Vec<ReleaseParts>,
    in_memory: PathBuf,
}

/// Programs and manifests of a release.
#[derive(Clone, Debug)]
pub(crate) struct ReleaseParts {
    stateless: Vec<PathBuf>,
    /// Folder with the webhook configurations.
    pub(super) webhooks: PathBuf,
    /// The CRDs.
    pub(super) crds: Vec<Value>,
}

impl ControllerParts {
    /// Finds everything for clusters with these parts, and builds what is missing: about three
    /// minutes the first time for each release.
    pub(crate) async fn resolve(
        clusters: &[&Parts],
        options: &PartsOptions,
        events: &Events,
    ) -> Result<Self, PartsError> {
        let mut found = BTreeMap::new();
        for parts in clusters {
            if let Entry::Vacant(place) = found.entry(&parts.release) {
                place.insert(ReleaseParts::resolve(parts, options, events).await?);
            }
        }
        let clusters = clusters.iter().map(|parts| found[&parts.release].clone()).collect();
        let in_memory = Part::DevManager.resolve(options, events).await?;
        Ok(Self { clusters, in_memory })
    }

    /// Returns the parts of a cluster.
    pub(super) fn of(&self, cluster: usize) -> &ReleaseParts {
        &self.clusters[cluster]
    }

    /// Returns the number of clusters.
    pub(super) fn len(&self) -> usize {
        self.clusters.len()
    }

    /// The program that all clusters share.
    pub(super) fn in_memory(&self) -> (&'static Manager, &Path) {
        (&IN_MEMORY, &self.in_memory)
    }
}

impl ReleaseParts {
    async fn resolve(
        parts: &Parts,
        options: &PartsOptions,
        events: &Events,
    ) -> Result<Self, PartsError> {
        let search = Search::new(options)?;
        let mut stateless = Vec::new();
        for manager in &STATELESS {
            if parts.release.is_pinned() {
                stateless.push(manager.part.resolve(options, events).await?);
                continue;
            }
            let package = manager.older_package(&parts.release);
            let place = (&parts.release, package.as_str());
            let program = go::build_older(&manager.part.recipe(), place, &search, events).await?;
            stateless.push(program);
        }
        let webhooks = webhooks::resolve(&parts.release, &search, events).await?;
        Ok(Self { stateless, webhooks, crds: crds::read(&parts.crds)? })
    }

    /// The programs that each cluster has, with what is known of them.
    pub(super) fn stateless(&self) -> impl Iterator<Item = (&'static Manager, &Path)> {
        STATELESS.iter().zip(self.stateless.iter().map(PathBuf::as_path))
    }
}
