//! The macro that makes a library a plugin.

/// Exports a plugin: `export_plugin!(infrastructure: VALUE)` or `export_plugin!(cni: VALUE)`.
///
/// `VALUE` is an expression without captures, usually a unit struct, whose type implements
/// [`InfrastructureProvider`](crate::InfrastructureProvider) or
/// [`CniProvider`](crate::CniProvider). It is evaluated for every call. The crate must be built
/// as a `cdylib`, with `panic = "unwind"` (the default).
///
/// Every call is wrapped so that a panic becomes an error, and once the host has connected its
/// log, panics are reported there and not printed.
///
/// Every plugin exports the same symbol, so two of them cannot be linked into one program as
/// ordinary dependencies. Load them instead.
#[macro_export]
macro_rules! export_plugin {
    (infrastructure: $plugin:expr) => {
        $crate::export_plugin!(@export infrastructure, $plugin);
    };
    (cni: $plugin:expr) => {
        $crate::export_plugin!(@export cni, $plugin);
    };
    (@export $kind:ident, $plugin:expr) => {
        const _: () = {
            struct ThisPlugin;

            impl $crate::abi::Exported for ThisPlugin {
                const PANIC_UNWIND: bool = cfg!(panic = "unwind");

                fn answer(method: &str, request: &[u8]) -> $crate::PluginResult<Vec<u8>> {
                    $crate::dispatch::$kind(&$plugin, method, request)
                }
            }

            // SAFETY: only the host looks this symbol up, in one library at a time.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static HEADER: $crate::abi::LibHeader = $crate::abi::header::<ThisPlugin>();
        };
    };
}
