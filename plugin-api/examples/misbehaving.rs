//! A plugin that misbehaves on demand, for the tests of hosts: the name of the cluster says how.
//!
//! It implements the boundary by hand, because `export_plugin!` allows no rubbish.
#![expect(unsafe_code, reason = "exports the header without the macro")]

use kubectl_pivot_plugin_api::abi::{Exported, LibHeader, header};
use kubectl_pivot_plugin_api::protocol::method;
use kubectl_pivot_plugin_api::{ClusterRequest, LogLevel, PluginError, PluginResult, log};

struct Misbehaving;

// SAFETY: only the host looks this symbol up, in one library at a time.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static HEADER: LibHeader = header::<Misbehaving>();

const INFO: &str = r#"{
    "name": "misbehaving",
    "kind": "infrastructure",
    "version": "0.0.0",
    "protocol": "1.0",
    "maturity": "haunted",
    "description": "Misbehaves on demand",
    "fieldOfTheFuture": {"nested": [1, 2]}
}"#;

impl Exported for Misbehaving {
    const PANIC_UNWIND: bool = cfg!(panic = "unwind");

    fn answer(method: &str, request: &[u8]) -> PluginResult<Vec<u8>> {
        match method {
            method::INFO => Ok(INFO.into()),
            method::RENDER => render(request),
            _ => Err(PluginError::internal("not today")),
        }
    }
}

fn render(request: &[u8]) -> PluginResult<Vec<u8>> {
    let request: ClusterRequest = serde_json::from_slice(request)
        .map_err(|error| PluginError::invalid_request(error.to_string()))?;
    match request.name.as_str() {
        "panic" => panic!("asked to panic"),
        "panic-with-a-bomb" => std::panic::panic_any(Bomb),
        "rubbish" => Ok(b"{{{".to_vec()),
        "future" => Ok(br#"{"objects": [], "priority": "high"}"#.to_vec()),
        "talk" => {
            log(LogLevel::Warn, "talking");
            Ok(br#"{"objects": []}"#.to_vec())
        }
        other => Err(PluginError::internal(format!("does not know how to `{other}`"))),
    }
}

/// A panic payload that panics again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a second panic");
    }
}
