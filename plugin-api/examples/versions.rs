//! A plugin of another time, for the tests of hosts: when it is built, `VERSIONS_ABI_LEVEL` and
//! `VERSIONS_PROTOCOL` say of which. It knows the method `info` and no other.
//!
//! It implements the boundary by hand, because `export_plugin!` knows only the present.
#![expect(unsafe_code, reason = "exports the header without the macro")]

use abi_stable::library::{__call_root_module_loader, CheckTypeLayout, RootModuleResult};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::std_types::{RResult, RSlice, RStr};
use kubectl_pivot_plugin_api::ABI_LEVEL;
use kubectl_pivot_plugin_api::abi::{Answer, HostLog, LibHeader, PluginRoot, PluginRootRef};

// SAFETY: only the host looks this symbol up, in one library at a time. `constructor` returns the
// erased prefix of a `PluginRootRef`, which is the type named here.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static HEADER: LibHeader =
    unsafe { LibHeader::from_constructor::<PluginRootRef>(constructor, CheckTypeLayout::Yes) };

const LEVEL: u32 = match option_env!("VERSIONS_ABI_LEVEL") {
    Some(level) => match u32::from_str_radix(level, 10) {
        Ok(level) => level,
        Err(_) => panic!("VERSIONS_ABI_LEVEL is no number"),
    },
    None => ABI_LEVEL,
};

const PROTOCOL: &str = match option_env!("VERSIONS_PROTOCOL") {
    Some(protocol) => protocol,
    None => "1.0",
};

extern "C" fn constructor() -> RootModuleResult {
    __call_root_module_loader(root)
}

fn root() -> PluginRootRef {
    let panic_unwind = cfg!(panic = "unwind");
    PluginRoot { abi_level: LEVEL, panic_unwind, set_log, invoke }.leak_into_prefix()
}

extern "C" fn set_log(_: HostLog) {}

extern "C" fn invoke(method: RStr<'_>, _: RSlice<'_, u8>) -> Answer {
    let answer = match method.as_str() {
        "info" => format!(
            r#"{{"name": "versions", "kind": "infrastructure", "protocol": "{PROTOCOL}",
                "provider": "versions", "fieldOfTheFuture": [{{}}]}}"#
        ),
        _ => {
            let error = r#"{"code": "unknown-method", "message": "not in my time"}"#;
            return RResult::RErr(error.as_bytes().to_vec().into());
        }
    };
    RResult::ROk(answer.into_bytes().into())
}
