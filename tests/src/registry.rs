//! A real registry on loopback that charts are pushed to by the real helm, with TLS and, if it is a
//! closed one, a login.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use sandbox::Process;
use tempfile::TempDir;

use crate::charts::run;

/// Whom a closed registry knows, and by which password.
const USER: &str = "reader";
const PASSWORD: &str = "correct-horse";
/// The same, as `htpasswd -B` writes it.
const HTPASSWD: &str = "reader:$2b$04$abcdefghijklmnopqrstuuPoaPXzWjiVz4HaNq2LJXksWbO79E.S6\n";
/// Limits a start; a second is usual.
const START: Duration = Duration::from_secs(60);

/// A registry that keeps what it is given in memory. It ends when it is dropped, or with this
/// program.
pub struct Registry {
    // Dropped in this order: the process before its files.
    _process: Process,
    dir: TempDir,
    address: String,
}

impl Registry {
    /// Starts one that gives and takes everything.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn open(program: &Path) -> Self {
        Self::start(program, "").await
    }

    /// Starts one that wants a login.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn closed(program: &Path) -> Self {
        Self::start(program, "auth: {htpasswd: {realm: charts, path: htpasswd}}\n").await
    }

    async fn start(program: &Path, login: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str| dir.path().join(name);
        let names = ["127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).expect("a certificate");
        let (config, log) = (file("registry.yaml"), file("registry.log"));
        for (path, text) in [
            (file("tls.crt"), cert.pem()),
            (file("tls.key"), signing_key.serialize_pem()),
            (file("htpasswd"), HTPASSWD.to_owned()),
            (config.clone(), configuration(dir.path(), login)),
        ] {
            fs::write(path, text).expect("the temporary folder is writable");
        }
        let arguments = ["serve".to_owned(), config.display().to_string()];
        // Else it looks for somebody who collects traces.
        let environment = [("OTEL_TRACES_EXPORTER", "none".to_owned())];
        let mut process =
            Process::spawn(program, &arguments, &environment, &log).expect("it can be run");
        let address = listening(&mut process, &log).await;
        Self { _process: process, dir, address }
    }

    /// Address: host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Values of `--cni-repo`.
    pub fn url(&self) -> String {
        format!("oci://{}/charts", self.address)
    }

    /// The file with the certificate by which it is known.
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("tls.crt")
    }

    /// The file with credentials that [`Registry::log_in`] writes.
    pub fn credentials(&self) -> PathBuf {
        self.dir.path().join("credentials.json")
    }

    /// Logs in as a user does.
    ///
    /// # Panics
    /// When helm fails.
    pub fn log_in(&self, helm: &Path) {
        let password = self.dir.path().join("password");
        fs::write(&password, PASSWORD).expect("the temporary folder is writable");
        let password = File::open(password).expect("it has been written");
        let mut helm = self.helm(helm);
        helm.args(["registry", "login", &self.address, "--username", USER, "--password-stdin"]);
        run(helm.stdin(Stdio::from(password)));
    }

    /// Brings an archive here.
    ///
    /// # Panics
    /// When helm fails.
    pub fn push(&self, helm: &Path, archive: &Path) {
        run(self.helm(helm).arg("push").arg(archive).arg(self.url()));
    }

    fn helm(&self, helm: &Path) -> Command {
        let mut helm = Command::new(helm);
        helm.env("HOME", self.dir.path()).env("SSL_CERT_FILE", self.authority());
        helm.env("HELM_REGISTRY_CONFIG", self.credentials());
        helm
    }
}

/// The system chooses the port, and the log tells it.
fn configuration(dir: &Path, login: &str) -> String {
    let dir = dir.display();
    let login = login.replace("path: htpasswd", &format!("path: {dir}/htpasswd"));
    format!(
        "version: 0.1\nlog: {{level: info, accesslog: {{disabled: true}}}}\nstorage: {{inmemory: \
         {{}}}}\n{login}http:\n  addr: 127.0.0.1:0\n  secret: of-this-one\n  tls: {{certificate: \
         {dir}/tls.crt, key: {dir}/tls.key}}\n"
    )
}

async fn listening(process: &mut Process, log: &Path) -> String {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(log).unwrap_or_default();
        let rest = text.split_once("listening on ").map(|(_, rest)| rest);
        if let Some((address, _)) = rest.and_then(|rest| rest.split_once(", tls")) {
            return address.to_owned();
        }
        assert!(!process.has_ended(), "the registry has ended: {text}");
        assert!(started.elapsed() < START, "the registry does not listen: {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
