//! Connections that others can listen to or answer in the place of the API server. kubectl allows
//! them, so they are allowed here, and reported.

use std::net::IpAddr;

use kube::config::Config;

/// A problem of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// The certificate of the API server is not verified.
    Unverified,
    /// Everything is sent over plain HTTP.
    InClear,
}

impl Exposure {
    /// Returns what it means for a run.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unverified => {
                "the certificate of its API server is not verified (insecure-skip-tls-verify): \
                 machines on the way can read and change everything, Secrets and credentials \
                 included"
            }
            Self::InClear => {
                "its API server speaks plain HTTP: machines on the way can read and change \
                 everything, Secrets included"
            }
        }
    }

    /// Returns how to fix it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Unverified => {
                "put the CA of the API server into the kubeconfig (certificate-authority-data) and \
                 remove insecure-skip-tls-verify"
            }
            Self::InClear => "use an https:// URL as `server` of the kubeconfig",
        }
    }
}

/// Returns what a configuration exposes.
pub(super) fn exposures_of(config: &Config) -> Vec<Exposure> {
    let is_plain = config.cluster_url.scheme_str() == Some("http");
    let user = &config.auth_info;
    let has_credentials = user.token.is_some()
        || user.exec.is_some()
        || user.auth_provider.is_some()
        || user.password.is_some();
    let unverified = (config.accept_invalid_certs && !is_plain).then_some(Exposure::Unverified);
    let in_clear =
        (is_plain && (has_credentials || !is_on_this_machine(config))).then_some(Exposure::InClear);
    unverified.into_iter().chain(in_clear).collect()
}

/// Returns whether nothing is on the way to the API server, as with `kubectl proxy`.
fn is_on_this_machine(config: &Config) -> bool {
    let host = config.cluster_url.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Config {
        Config::new(url.parse().expect("a URL"))
    }

    #[test]
    fn a_connection_that_others_can_read_or_answer_is_reported() {
        assert_eq!(exposures_of(&config("https://127.0.0.1:6443")), []);
        let mut unverified = config("https://127.0.0.1:6443");
        unverified.accept_invalid_certs = true;
        assert_eq!(exposures_of(&unverified), [Exposure::Unverified]);
        let mut in_clear = config("http://127.0.0.1:8001");
        in_clear.auth_info.token = Some("t".to_owned().into());
        assert_eq!(exposures_of(&in_clear), [Exposure::InClear]);
        in_clear.accept_invalid_certs = true;
        assert_eq!(exposures_of(&in_clear), [Exposure::InClear], "there is no certificate");
    }

    #[test]
    fn plain_http_to_another_machine_is_reported() {
        for here in ["127.0.0.1:8001", "127.1.2.3", "[::1]:8001", "localhost:8001", "LocalHost"] {
            let exposures = exposures_of(&config(&format!("http://{here}")));
            assert_eq!(exposures, [], "{here}: as `kubectl proxy` serves it");
        }
        for elsewhere in ["10.0.0.1:8001", "[fd00::1]", "api.example.com", "localhost.example.com"]
        {
            let exposures = exposures_of(&config(&format!("http://{elsewhere}")));
            assert_eq!(exposures, [Exposure::InClear], "{elsewhere}");
        }
    }
}
