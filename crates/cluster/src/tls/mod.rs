//! Certificates as Go takes them, for an API server that kubectl can reach has to be reachable
//! here.

mod certificate;
pub(crate) mod pem;
mod verifier;

pub(crate) use verifier::Verifier;
