//! Hints for a connection to an API server that does not come about: certificate, name, proxy,
//! scheme.

use support::visible::shell_word;

use crate::error::{ApiError, Endpoint};

/// The answer of an API server to plain HTTP on its port for TLS (`net/http`).
pub(super) const PLAIN_TO_TLS: &str = "HTTP request to an HTTPS server";

impl ApiError {
    /// Returns what the user can do about a connection that failed in these words.
    pub(super) fn hint_of_connection(&self, problem: &str) -> String {
        let Endpoint { server, proxy, flags } = self.endpoint.as_ref();
        let of = format!("the {} cluster's kubeconfig", self.cluster);
        if problem.to_lowercase().contains("certificate") {
            return format!(
                "compare certificate-authority-data and tls-server-name in {of} with the \
                 certificate that is shown at this address (`openssl s_client -showcerts -connect \
                 {}`); a proxy may replace it",
                shell_word(host(server))
            );
        }
        if !proxy.is_empty() {
            return format!(
                "check the proxy {proxy}; it comes from proxy-url in {of}, or from HTTPS_PROXY and \
                 HTTP_PROXY, and NO_PROXY names servers that are reached without it"
            );
        }
        if problem.contains("lookup address") {
            return format!(
                "the name in {server} is not known here: check `server` in {of}, DNS, and whether \
                 a VPN or a proxy (HTTPS_PROXY) is needed"
            );
        }
        if ["corrupt message", "handshake eof"].iter().any(|words| problem.contains(words)) {
            return format!("{server} may not speak TLS: check `server` in {of}; is it http:// ?");
        }
        if server.starts_with("http://") && problem.contains("HTTP version") {
            return self.hint_of_scheme();
        }
        format!(
            "check that the API server of the {} cluster is up and reachable from here: `kubectl \
             {flags}get --raw /readyz`",
            self.cluster
        )
    }

    /// Returns what the user can do about plain HTTP on a port for TLS.
    pub(super) fn hint_of_scheme(&self) -> String {
        format!(
            "write https:// in front of `server` in the {} cluster's kubeconfig: {} speaks TLS",
            self.cluster,
            host(&self.endpoint.server)
        )
    }
}

/// Host and port of a URL.
fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}
