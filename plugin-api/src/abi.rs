//! The frozen boundary: one root module, four fields, bytes in and bytes out.
//!
//! **Nothing in this file may change**, except comments: the layout check of `abi_stable` refuses
//! an older plugin in a newer host as soon as a field is added. What evolves are the messages
//! inside the bytes, by the rules in [`crate::protocol`]. Authors use
//! [`export_plugin!`](crate::export_plugin) and never this module.
#![expect(unsafe_code, reason = "the ABI: StableAbi implementations and the exported header")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use abi_stable::StableAbi;
pub use abi_stable::library::LibHeader;
use abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, RootModule, RootModuleResult,
};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RSlice, RStr, RVec};

use crate::error::{ErrorCode, PluginError, PluginResult};
use crate::log;
use crate::protocol::ABI_LEVEL;

/// Receives log lines of one plugin. Must not panic.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct HostLog {
    /// Tells the host which plugin speaks.
    pub token: usize,
    /// Takes the token, the level ([`crate::LogLevel`] as a number) and the line.
    pub log: extern "C" fn(usize, u8, RStr<'_>),
}

/// An encoded answer, or an encoded [`PluginError`].
pub type Answer = RResult<RVec<u8>, RVec<u8>>;

/// What a plugin library exports.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRootRef)))]
pub struct PluginRoot {
    /// [`ABI_LEVEL`] at the time the plugin was built.
    pub abi_level: u32,
    /// Whether panics unwind in the plugin. If not, one panic would end the host.
    pub panic_unwind: bool,
    /// Connects the plugin's log with the host, once.
    pub set_log: extern "C" fn(HostLog),
    /// Answers a method of [`crate::protocol::method`]. Never unwinds.
    #[sabi(last_prefix_field)]
    pub invoke: extern "C" fn(RStr<'_>, RSlice<'_, u8>) -> Answer,
}

impl RootModule for PluginRootRef {
    const BASE_NAME: &'static str = "kubectl_pivot_plugin";
    const NAME: &'static str = "kubectl_pivot_plugin";
    /// Frozen like the layout, and so independent of the version of this crate.
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
    abi_stable::declare_root_module_statics! {PluginRootRef}
}

/// A plugin that can be exported: implemented by [`export_plugin!`](crate::export_plugin).
pub trait Exported {
    /// Whether panics unwind in the crate of the plugin: `cfg!(panic = "unwind")`, evaluated there.
    const PANIC_UNWIND: bool;

    /// Answers one method.
    ///
    /// # Errors
    /// See [`crate::dispatch`].
    fn answer(method: &str, request: &[u8]) -> PluginResult<Vec<u8>>;
}

/// The header that a plugin library exports under [`HEADER_SYMBOL`].
pub const fn header<E: Exported>() -> LibHeader {
    // SAFETY: `constructor` returns the erased prefix of a `PluginRootRef`, which is the type
    // named here.
    unsafe { LibHeader::from_constructor::<PluginRootRef>(constructor::<E>, CheckTypeLayout::Yes) }
}

/// Name of the exported header, as `abi_stable` mangles it.
pub const HEADER_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

extern "C" fn constructor<E: Exported>() -> RootModuleResult {
    __call_root_module_loader(root::<E>)
}

fn root<E: Exported>() -> PluginRootRef {
    PluginRoot {
        abi_level: ABI_LEVEL,
        panic_unwind: E::PANIC_UNWIND && cfg!(panic = "unwind"),
        set_log,
        invoke: invoke::<E>,
    }
    .leak_into_prefix()
}

extern "C" fn set_log(host: HostLog) {
    log::connect(host);
}

extern "C" fn invoke<E: Exported>(method: RStr<'_>, request: RSlice<'_, u8>) -> Answer {
    match contain(|| E::answer(method.as_str(), request.as_slice())) {
        Ok(answer) => RResult::ROk(answer.into()),
        Err(error) => RResult::RErr(encode(&error).into()),
    }
}

/// Turns a panic in `body` into an error.
fn contain<T>(body: impl FnOnce() -> PluginResult<T>) -> PluginResult<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let what = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("a panic without a message");
        let place = log::take_panic_place().map(|place| format!(" at {place}")).unwrap_or_default();
        let error =
            PluginError::new(ErrorCode::Panic, format!("the plugin panicked{place}: {what}"));
        // Dropping the payload could panic again, now outside of any catch.
        std::mem::forget(payload);
        Err(error)
    })
}

fn encode(error: &PluginError) -> Vec<u8> {
    serde_json::to_vec(error).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_exported_under_the_name_that_the_loader_looks_up() {
        assert_eq!(HEADER_SYMBOL, abi_stable::library::ROOT_MODULE_LOADER_NAME);
        assert!(include_str!("export.rs").contains(&format!("{HEADER_SYMBOL:?}")));
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let error = contain::<()>(|| panic!("no {}", "luck")).expect_err("it panicked");
        assert_eq!(error.code, ErrorCode::Panic);
        assert!(error.message.ends_with(": no luck"), "{}", error.message);
    }
}
