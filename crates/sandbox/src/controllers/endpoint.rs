//! Addresses of the webhooks of a manager, for their callers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The address of a manager's webhooks, and the authority that vouches for it.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// Port on 127.0.0.1.
    pub(super) port: u16,
    /// The authority's certificate as PEM.
    pub(super) ca: String,
}

impl Endpoint {
    /// The address.
    pub(super) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Returns the registration of the webhook at `path`; without a Service there is only the URL.
    pub(super) fn client_config(&self, path: &str) -> Value {
        json!({
            "url": format!("{}{path}", self.url()),
            "caBundle": STANDARD.encode(&self.ca),
        })
    }
}
