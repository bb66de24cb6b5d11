//! The places of released parts: at the projects, or in a mirror with the same files.

use std::env::consts;
use std::net::IpAddr;

use http::Uri;

use super::error::DownloadError;

/// The index of envtest's archives.
const INDEX: &str = "envtest-releases.yaml";

/// A mirror of released parts: a web server with these files below its address.
///
/// ```text
/// envtest-releases.yaml
/// envtest-v1.36.2/envtest-v1.36.2-linux-amd64.tar.gz
/// kubernetes/v1.36.2/bin/linux/amd64/kube-controller-manager
/// kubernetes/v1.36.2/bin/linux/amd64/kube-controller-manager.sha256
/// cluster-api/v1.14.2/core-components.yaml
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror(String);

impl Mirror {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is not one that may be downloaded from.
    pub fn new(address: &str) -> Result<Self, DownloadError> {
        let address = address.trim_end_matches('/');
        check(address)?;
        Ok(Self(address.to_owned()))
    }
}

/// The places of released parts.
pub(crate) struct Places<'a>(pub(crate) Option<&'a Mirror>);

impl Places<'_> {
    fn place(&self, in_mirror: String, otherwise: String) -> String {
        match self.0 {
            Some(Mirror(address)) => format!("{address}/{in_mirror}"),
            None => otherwise,
        }
    }

    /// The index of envtest's archives.
    pub(super) fn index(&self) -> String {
        const OF_PROJECT: &str =
            "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/";
        self.place(INDEX.to_owned(), format!("{OF_PROJECT}{INDEX}"))
    }

    /// An archive of envtest; the index says where the project has it.
    pub(super) fn archive(&self, version: &str, name: &str, self_link: &str) -> String {
        self.place(format!("envtest-{version}/{name}"), self_link.to_owned())
    }

    /// A program of Kubernetes.
    pub(super) fn program(&self, version: &str, name: &str) -> String {
        let path = format!("{version}/bin/{}/{}/{name}", consts::OS, architecture());
        self.place(format!("kubernetes/{path}"), format!("https://dl.k8s.io/release/{path}"))
    }

    /// A manifest of a release of Cluster API.
    pub(super) fn manifest(&self, version: &str, name: &str) -> String {
        const RELEASES: &str = "https://github.com/kubernetes-sigs/cluster-api/releases/download";
        self.place(format!("cluster-api/{version}/{name}"), format!("{RELEASES}/{version}/{name}"))
    }

    /// The CRD of clusterctl's inventory, which is in no manifest of a release: clusterctl has it
    /// in itself.
    pub(super) fn inventory(&self, version: &str) -> String {
        const SOURCES: &str = "https://raw.githubusercontent.com/kubernetes-sigs/cluster-api";
        const FILE: &str = "clusterctl.cluster.x-k8s.io_providers.yaml";
        self.place(
            format!("cluster-api/{version}/{FILE}"),
            format!("{SOURCES}/{version}/cmd/clusterctl/config/crd/bases/{FILE}"),
        )
    }
}

/// This machine's operating system and architecture as releases call them.
pub(super) fn platform() -> String {
    let system = if consts::OS == "macos" { "darwin" } else { consts::OS };
    format!("{system}-{}", architecture())
}

fn architecture() -> &'static str {
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// An address to download from: over TLS, or from this machine.
pub(super) fn check(address: &str) -> Result<Uri, DownloadError> {
    let wrong = |problem: &str| DownloadError::Address {
        url: address.to_owned(),
        problem: problem.to_owned(),
    };
    let uri: Uri = address.parse().map_err(|_| wrong("it is not a URL"))?;
    let host = uri.host().ok_or_else(|| wrong("it is not a URL"))?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        let problem = "it has a login in it, which other users can see";
        return Err(DownloadError::Address { url: host.to_owned(), problem: problem.to_owned() });
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_here(host) => Ok(uri),
        _ => Err(wrong("only https: is safe, except on this machine itself")),
    }
}

fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_everything_below_one_address() {
        let mirror = Mirror::new("https://mirror.invalid/parts/").expect("an address");
        let places = Places(Some(&mirror));
        let base = "https://mirror.invalid/parts";
        assert_eq!(places.index(), format!("{base}/envtest-releases.yaml"));
        let archive = places.archive("v1.36.2", "a.tar.gz", "https://elsewhere.invalid/a.tar.gz");
        assert_eq!(archive, format!("{base}/envtest-v1.36.2/a.tar.gz"));
        let manifest = places.manifest("v1.14.2", "core-components.yaml");
        assert_eq!(manifest, format!("{base}/cluster-api/v1.14.2/core-components.yaml"));
        let of_project = Places(None).archive("v1.36.2", "a.tar.gz", "https://github.com/a.tar.gz");
        assert_eq!(of_project, "https://github.com/a.tar.gz");
    }

    #[test]
    fn only_tls_is_trusted_except_on_this_machine() {
        for good in
            ["https://a.invalid", "http://127.0.0.1:80/x", "http://[::1]", "http://localhost"]
        {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["http://a.invalid", "ftp://127.0.0.1", "/path", "", "file:///x", "a b"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        let login = check("https://me:hunter2@a.invalid").expect_err("a login");
        assert!(!login.to_string().contains("hunter2"), "{login}");
    }
}
