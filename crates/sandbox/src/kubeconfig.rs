//! The kubeconfig file of a control plane.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::pki::Identity;
use own_files::private;

/// URL of an API server of the sandbox.
pub(super) fn url(port: u16) -> String {
    format!("https://127.0.0.1:{port}")
}

/// The one who talks to which cluster.
pub(super) struct Access<'a> {
    /// Name of cluster, context and user in the file.
    pub(super) context: &'a str,
    /// Port of the API server on loopback.
    pub(super) port: u16,
    /// The authority that signed the server's certificate, as PEM.
    pub(super) ca: &'a str,
    /// The client's certificate and key.
    pub(super) client: &'a Identity,
}

impl Access<'_> {
    /// Writes the kubeconfig, readable by its owner only.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let yaml = support::yaml::document(&self.to_value());
        private::write(path, yaml)
    }

    fn to_value(&self) -> Value {
        let name = self.context;
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": name, "cluster": {
                "server": url(self.port),
                "certificate-authority-data": STANDARD.encode(self.ca),
            }}],
            "users": [{ "name": name, "user": {
                "client-certificate-data": STANDARD.encode(&self.client.cert),
                "client-key-data": STANDARD.encode(&self.client.key),
            }}],
            "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
            "current-context": name,
        })
    }
}
