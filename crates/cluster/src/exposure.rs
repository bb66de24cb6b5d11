//! Connections that others can listen to or answer in the place of the API server. kubectl allows
//! them, so they are allowed here, and reported.

use kube::config::Config;

/// A problem of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// The certificate of the API server is not verified.
    Unverified,
    /// Credentials are sent over plain HTTP.
    InClear,
}

impl Exposure {
    /// Returns what it means for a run.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unverified => {
                "the certificate of its API server is not verified (insecure-skip-tls-verify): machines on the way \
                 can read and change everything, Secrets and credentials included"
            }
            Self::InClear => {
                "the credentials of its kubeconfig are sent over plain HTTP: machines on the way can read and use \
                 them"
            }
        }
    }

    /// Returns how to fix it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Unverified => {
                "put the CA of the API server into the kubeconfig (certificate-authority-data) and remove \
                 insecure-skip-tls-verify"
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
    let in_clear = (is_plain && has_credentials).then_some(Exposure::InClear);
    unverified.into_iter().chain(in_clear).collect()
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
        assert_eq!(
            exposures_of(&config("http://127.0.0.1:8001")),
            [],
            "as `kubectl proxy` serves it"
        );
        let mut unverified = config("https://127.0.0.1:6443");
        unverified.accept_invalid_certs = true;
        assert_eq!(exposures_of(&unverified), [Exposure::Unverified]);
        let mut in_clear = config("http://10.0.0.1:8001");
        in_clear.auth_info.token = Some("t".to_owned().into());
        assert_eq!(exposures_of(&in_clear), [Exposure::InClear]);
        in_clear.accept_invalid_certs = true;
        assert_eq!(exposures_of(&in_clear), [Exposure::InClear], "there is no certificate");
    }
}
