//! One etcd on loopback, reachable only with this control plane's own client certificates.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{ControlPlaneError, FileError};
use super::parts::{Parts, Program};
use super::pki::Authority;
use super::process::Process;
use own_files::private;

/// etcd's files. The certificates keep local users out and make it impossible that an API
/// server writes to the etcd of another control plane, should two of them have picked one port.
pub(super) struct Etcd {
    program: Program,
    dir: PathBuf,
}

impl Etcd {
    /// Prepares `dir`: certificates of its own authority, for etcd and for its only client.
    pub(super) fn prepare(parts: &Parts, dir: &Path) -> Result<Self, ControlPlaneError> {
        private::create_folder(dir).map_err(FileError::of("create", dir))?;
        let etcd = Self { program: parts.program(&parts.etcd), dir: dir.to_owned() };
        let authority = Authority::new("etcd")?;
        let identity = authority.server("etcd")?;
        etcd.write("ca.crt", &authority.cert())?;
        etcd.write("tls.crt", &identity.cert)?;
        etcd.write("tls.key", &identity.key)?;
        Ok(etcd)
    }

    /// Starts it with an empty store.
    pub(super) fn start(
        &self,
        client_port: u16,
        peer_port: u16,
    ) -> Result<Process, ControlPlaneError> {
        let data = self.dir.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).map_err(FileError::of("delete", &data))?;
        }
        let log = self.log();
        // A fresh log: an "address already in use" of the last try must not be taken for one of
        // this.
        private::write(&log, "").map_err(FileError::of("write", &log))?;
        self.restart(client_port, peer_port)
    }

    /// Starts it with what is in its store.
    pub(super) fn restart(
        &self,
        client_port: u16,
        peer_port: u16,
    ) -> Result<Process, ControlPlaneError> {
        self.program.start(&self.args(client_port, peer_port), &self.log())
    }

    /// The arguments with which the API server finds this etcd.
    pub(super) fn client_args(&self, client_port: u16) -> Vec<String> {
        vec![
            format!("--etcd-servers=https://127.0.0.1:{client_port}"),
            format!("--etcd-cafile={}", self.path("ca.crt")),
            format!("--etcd-certfile={}", self.path("tls.crt")),
            format!("--etcd-keyfile={}", self.path("tls.key")),
        ]
    }

    fn args(&self, client_port: u16, peer_port: u16) -> Vec<String> {
        let client = format!("https://127.0.0.1:{client_port}");
        let peer = format!("https://127.0.0.1:{peer_port}");
        let (ca, cert, key) = (self.path("ca.crt"), self.path("tls.crt"), self.path("tls.key"));
        vec![
            "--name=sandbox".into(),
            format!("--data-dir={}", self.path("data")),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=sandbox={peer}"),
            "--client-cert-auth".into(),
            format!("--trusted-ca-file={ca}"),
            format!("--cert-file={cert}"),
            format!("--key-file={key}"),
            "--peer-client-cert-auth".into(),
            format!("--peer-trusted-ca-file={ca}"),
            format!("--peer-cert-file={cert}"),
            format!("--peer-key-file={key}"),
            // Data need not survive a power cut, and waiting for the disk is most of a start.
            "--unsafe-no-fsync".into(),
            "--log-level=warn".into(),
        ]
    }

    fn log(&self) -> PathBuf {
        self.dir.join("etcd.log")
    }

    fn path(&self, file: &str) -> String {
        self.dir.join(file).display().to_string()
    }

    fn write(&self, file: &str, content: &str) -> Result<(), ControlPlaneError> {
        let path = self.dir.join(file);
        Ok(private::write(&path, content).map_err(FileError::of("write", path))?)
    }
}
