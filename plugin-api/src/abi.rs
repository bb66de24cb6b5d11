//! From a plugin to the frozen boundary of [`kubectl_pivot_plugin_abi`].
//!
//! Authors use [`export_plugin!`](crate::export_plugin) and never this module.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kubectl_pivot_plugin_abi::{
    ABI_LEVEL, Answer, Export, HostLog, PluginRoot, RResult, RSlice, RStr,
};
pub use kubectl_pivot_plugin_abi::{HEADER_SYMBOL, LibHeader};

use crate::error::{ErrorCode, PluginError, PluginResult};
use crate::log;

/// A plugin that can be exported: implemented by [`export_plugin!`](crate::export_plugin).
pub trait Exported {
    /// True if panics unwind in the crate of the plugin: `cfg!(panic = "unwind")`, evaluated there.
    const PANIC_UNWIND: bool;

    /// Answers one method.
    ///
    /// # Errors
    /// See [`crate::dispatch`].
    fn answer(method: &str, request: &[u8]) -> PluginResult<Vec<u8>>;
}

/// The header that a plugin library exports under [`HEADER_SYMBOL`].
pub const fn header<E: Exported>() -> LibHeader {
    kubectl_pivot_plugin_abi::header::<Contained<E>>()
}

/// A plugin whose panics end in the plugin.
struct Contained<E>(PhantomData<E>);

impl<E: Exported> Export for Contained<E> {
    fn root() -> PluginRoot {
        PluginRoot {
            abi_level: ABI_LEVEL,
            panic_unwind: E::PANIC_UNWIND && cfg!(panic = "unwind"),
            set_log,
            invoke: invoke::<E>,
        }
    }
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
    fn the_macro_exports_the_header_under_the_name_of_the_boundary() {
        assert!(include_str!("export.rs").contains(&format!("{HEADER_SYMBOL:?}")));
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let error = contain::<()>(|| panic!("no {}", "luck")).expect_err("it panicked");
        assert_eq!(error.code, ErrorCode::Panic);
        assert!(error.message.ends_with(": no luck"), "{}", error.message);
    }
}
