//! Preparation before the clusters start: programs, certificates, ports, and CRDs that know where
//! their webhooks will answer.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use super::conversion::with_conversion;
use super::endpoint::Endpoint;
use super::manager::{self, STATELESS};
use super::parts::{ControllerParts, ControllersOptions};
use crate::error::{ControlPlaneError, FileError, SandboxError};
use crate::launch::free_ports;
use crate::pki::Authority;
use own_files::private;

/// The in-memory provider listens there, on all addresses, and has no setting for that.
const PROVIDER_PORT: u16 = 19_000;

/// Plan for the start of the controllers of a sandbox.
pub(crate) struct Plan {
    pub(super) program: PathBuf,
    pub(super) parts: ControllerParts,
    /// Their folder.
    pub(super) dir: PathBuf,
    /// The folder with certificate and key of all webhooks.
    pub(super) certificates: PathBuf,
    pub(super) authority: Authority,
    /// Of the managers of the first cluster, of the second, and so on; the provider's comes last.
    pub(super) ports: Vec<u16>,
}

impl Plan {
    /// Plans for the clusters that the parts are for; files go to `controllers` in `dir`.
    pub(crate) fn make(
        options: &ControllersOptions,
        parts: ControllerParts,
        dir: &Path,
    ) -> Result<Self, SandboxError> {
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, PROVIDER_PORT)).is_err() {
            return Err(SandboxError::ProviderPort { port: PROVIDER_PORT });
        }
        let plan = Self::prepare(options, parts, dir.join("controllers"));
        plan.map_err(SandboxError::Controllers)
    }

    fn prepare(
        options: &ControllersOptions,
        parts: ControllerParts,
        dir: PathBuf,
    ) -> Result<Self, ControlPlaneError> {
        let certificates = dir.join("certificates");
        private::create_folder(&certificates).map_err(FileError::of("create", &certificates))?;
        let authority = Authority::new("webhooks")?;
        let identity = authority.server("webhooks")?;
        for (name, text) in [("tls.crt", &identity.cert), ("tls.key", &identity.key)] {
            let path = certificates.join(name);
            private::write(&path, text).map_err(FileError::of("write", path))?;
        }
        let program = options.program.clone();
        let ports = free_ports(parts.len() * STATELESS.len() + 1)?;
        Ok(Self { program, parts, dir, certificates, authority, ports })
    }

    /// Returns where the managers will answer, on these ports.
    pub(super) fn endpoints(&self, ports: &[u16]) -> Vec<Endpoint> {
        let ca = self.authority.cert();
        ports.iter().map(|&port| Endpoint { port, ca: ca.clone() }).collect()
    }

    /// Writes the CRDs of a cluster, with the conversion of its kinds, and returns their folder. To
    /// change a CRD later takes an API server far longer than to have it so from the beginning.
    pub(crate) fn write_crds(&self, cluster: usize) -> Result<PathBuf, SandboxError> {
        self.try_write_crds(cluster).map_err(SandboxError::Controllers)
    }

    fn try_write_crds(&self, cluster: usize) -> Result<PathBuf, ControlPlaneError> {
        let root = self.dir.join(format!("crds-{cluster}"));
        let folder = root.join("all");
        private::create_folder(&folder).map_err(FileError::of("create", &folder))?;
        let endpoints = self.endpoints(&self.ports);
        let own = endpoints.chunks(STATELESS.len()).nth(cluster).into_iter().flatten();
        let managers: Vec<_> = manager::all().zip(own.chain(endpoints.last())).collect();
        for (number, crd) in self.parts.of(cluster).crds.iter().enumerate() {
            let path = folder.join(format!("{number:03}.json"));
            let text = with_conversion(crd, &managers).to_string();
            fs::write(&path, text).map_err(FileError::of("write", path))?;
        }
        Ok(root)
    }
}
