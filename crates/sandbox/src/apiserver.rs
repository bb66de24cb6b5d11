//! One kube-apiserver on loopback: client certificates, RBAC, no service account admission.

use std::path::{Path, PathBuf};

use super::error::{ControlPlaneError, FileError};
use super::kubeconfig::Access;
use super::parts::{Parts, Program};
use super::pki::{Authority, signing_keys};
use super::process::Process;
use own_files::private;

/// The API server's files, and the authority that vouches for it and its users.
pub(super) struct ApiServer {
    program: Program,
    dir: PathBuf,
    authority: Authority,
    extra_args: Vec<String>,
}

impl ApiServer {
    /// Prepares `dir`: authority, serving certificate, key for service account tokens.
    pub(super) fn prepare(
        parts: &Parts,
        dir: &Path,
        extra_args: Vec<String>,
    ) -> Result<Self, ControlPlaneError> {
        private::create_folder(dir).map_err(FileError::of("create", dir))?;
        let authority = Authority::new("sandbox")?;
        let identity = authority.server("kube-apiserver")?;
        let program = parts.program(&parts.kube_apiserver);
        let server = Self { program, dir: dir.to_owned(), authority, extra_args };
        server.write("ca.crt", &server.authority.cert())?;
        server.write("tls.crt", &identity.cert)?;
        server.write("tls.key", &identity.key)?;
        let (private, public) = signing_keys()?;
        server.write("service-accounts.key", &private)?;
        server.write("service-accounts.pub", &public)?;
        Ok(server)
    }

    /// Writes a kubeconfig for `user`, a name and a group, with a new client certificate.
    pub(super) fn write_kubeconfig(
        &self,
        path: &Path,
        context: &str,
        port: u16,
        user: (&str, Option<&str>),
    ) -> Result<(), ControlPlaneError> {
        let client = self.authority.client(user.0, user.1)?;
        let access = Access { context, port, ca: &self.authority.cert(), client: &client };
        Ok(access.write(path).map_err(FileError::of("write", path))?)
    }

    /// Starts it; `etcd_args` say where its etcd is.
    pub(super) fn start(
        &self,
        port: u16,
        etcd_args: Vec<String>,
    ) -> Result<Process, ControlPlaneError> {
        let mut args = self.args(port);
        args.extend(etcd_args);
        args.extend(self.extra_args.iter().cloned());
        self.program.start(&args, &self.log())
    }

    /// Empties the log, so that what it says is of the next start.
    pub(super) fn clear_log(&self) -> Result<(), ControlPlaneError> {
        let log = self.log();
        Ok(private::write(&log, "").map_err(FileError::of("write", log))?)
    }

    fn args(&self, port: u16) -> Vec<String> {
        vec![
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={port}"),
            format!("--cert-dir={}", self.dir.display()),
            format!("--tls-cert-file={}", self.path("tls.crt")),
            format!("--tls-private-key-file={}", self.path("tls.key")),
            format!("--client-ca-file={}", self.path("ca.crt")),
            "--authorization-mode=RBAC".into(),
            // No controller makes the accounts and tokens that this admission plugin waits for.
            "--disable-admission-plugins=ServiceAccount".into(),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            format!("--service-account-signing-key-file={}", self.path("service-accounts.key")),
            format!("--service-account-key-file={}", self.path("service-accounts.pub")),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            // Loopback addresses are not allowed as endpoints of the `kubernetes` service.
            "--endpoint-reconciler-type=none".into(),
            "--allow-privileged=true".into(),
            "--profiling=false".into(),
        ]
    }

    fn log(&self) -> PathBuf {
        self.dir.join("kube-apiserver.log")
    }

    fn path(&self, file: &str) -> String {
        self.dir.join(file).display().to_string()
    }

    fn write(&self, file: &str, content: &str) -> Result<(), ControlPlaneError> {
        let path = self.dir.join(file);
        Ok(private::write(&path, content).map_err(FileError::of("write", path))?)
    }
}
