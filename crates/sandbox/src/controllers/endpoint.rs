//! Addresses of the webhooks of a manager, for their callers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cluster::make_client;
use serde_json::{Value, json};
use support::causes::in_one_line;

use crate::young_server::CallError;

/// The time that an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

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

    /// Prepares to ask whether it answers, as nobody; `authority` has signed its certificate.
    pub(super) async fn asked(&self, authority: Vec<u8>) -> Result<Asked, CallError> {
        let url = self.url().parse().map_err(|error| CallError(in_one_line(&error)))?;
        let mut config = kube::Config::new(url);
        config.root_cert = Some(vec![authority]);
        Ok(Asked(make_client(config).await.map_err(CallError)?))
    }

    /// Returns the registration of the webhook at `path`; without a Service there is only the URL.
    pub(super) fn client_config(&self, path: &str) -> Value {
        json!({
            "url": format!("{}{path}", self.url()),
            "caBundle": STANDARD.encode(&self.ca),
        })
    }
}

/// The client that asks a manager's webhooks.
pub(super) struct Asked(kube::Client);

impl Asked {
    /// Checks that there is an answer; a refusal is one too.
    pub(super) async fn answers(&self) -> Result<(), CallError> {
        let request = http::Request::get("/convert").body(Vec::new());
        let request = request.map_err(|error| CallError(in_one_line(&error)))?;
        match tokio::time::timeout(ANSWER_TIMEOUT, self.0.request_text(request)).await {
            Ok(Ok(_) | Err(kube::Error::Api(_))) => Ok(()),
            Ok(Err(error)) => Err(CallError(in_one_line(&error))),
            Err(_) => Err(CallError(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))),
        }
    }
}
