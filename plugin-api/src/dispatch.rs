//! From method name and bytes to a trait method and back. No panic is caught here.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ErrorCode, PluginError, PluginResult};
use crate::info::{PluginInfo, PluginKind};
use crate::protocol::{PROTOCOL, method};
use crate::provider::{CniProvider, InfrastructureProvider};

/// Answers `method` for an infrastructure plugin.
///
/// # Errors
/// The plugin's own, [`ErrorCode::UnknownMethod`], and [`ErrorCode::InvalidRequest`] for a
/// request that cannot be decoded.
pub fn infrastructure(
    plugin: &dyn InfrastructureProvider,
    method: &str,
    request: &[u8],
) -> PluginResult<Vec<u8>> {
    match method {
        method::INFO => encode(&stamp(plugin.info(), PluginKind::Infrastructure)),
        method::VARIABLES => encode(&plugin.variables()),
        method::PROVIDERS => encode(&plugin.providers(&decode(request)?)?),
        method::BOOTSTRAP => encode(&plugin.bootstrap(&decode(request)?)?),
        method::RENDER => encode(&plugin.render(&decode(request)?)?),
        method::CNI => encode(&plugin.cni(&decode(request)?)?),
        method::REACH => encode(&plugin.reach(&decode(request)?)?),
        method::ADDONS => encode(&plugin.addons(&decode(request)?)?),
        method::MOVE => encode(&plugin.moving(&decode(request)?)?),
        method::PROBES => encode(&plugin.probes(&decode(request)?)?),
        other => Err(unknown_method(other)),
    }
}

/// Answers `method` for a CNI plugin.
///
/// # Errors
/// As [`infrastructure`].
pub fn cni(plugin: &dyn CniProvider, method: &str, request: &[u8]) -> PluginResult<Vec<u8>> {
    match method {
        method::INFO => encode(&stamp(plugin.info(), PluginKind::Cni)),
        method::VARIABLES => encode(&plugin.variables()),
        method::PLAN => encode(&plugin.plan(&decode(request)?)?),
        method::PROBES => encode(&plugin.probes(&decode(request)?)?),
        other => Err(unknown_method(other)),
    }
}

/// Fills in fields that an author cannot get wrong, because they are not theirs to say.
fn stamp(info: PluginInfo, kind: PluginKind) -> PluginInfo {
    PluginInfo { kind, protocol: PROTOCOL, ..info }
}

fn unknown_method(method: &str) -> PluginError {
    let message = format!("this plugin (protocol {PROTOCOL}) has no method `{method}`");
    PluginError::new(ErrorCode::UnknownMethod, message)
}

fn decode<T: DeserializeOwned>(request: &[u8]) -> PluginResult<T> {
    serde_json::from_slice(request)
        .map_err(|error| PluginError::invalid_request(format!("cannot read the request: {error}")))
}

fn encode<T: Serialize>(answer: &T) -> PluginResult<Vec<u8>> {
    serde_json::to_vec(answer)
        .map_err(|error| PluginError::internal(format!("cannot write the answer: {error}")))
}
