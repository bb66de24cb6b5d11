//! The frozen boundary between `kubectl-pivot` and its plugins.
//!
//! A plugin exports one root module of four fields: the level of the boundary, the panic strategy,
//! a connection for log lines, and `invoke(method, bytes) -> bytes`. Everything that evolves is
//! inside the bytes, under the rules of the protocol.
//!
//! **Nothing in this crate ever changes**: no line of its source, not its version, not its
//! dependency. When a plugin is loaded, `abi_stable` compares the layout of every type, and the
//! name and version of the crate that derives it, on both sides. A field more, or a version of
//! another series, and each plugin that exists is refused. A test compares the hash of this crate.
//!
//! Authors of plugins depend on `kubectl-pivot-plugin-api`, which fills the root module for them.
#![expect(unsafe_code, reason = "the ABI: StableAbi implementations and the exported header")]

use abi_stable::StableAbi;
pub use abi_stable::library::LibHeader;
use abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, RootModule, RootModuleResult,
};
use abi_stable::prefix_type::PrefixTypeTrait as _;
use abi_stable::sabi_types::VersionStrings;
pub use abi_stable::std_types::{RResult, RSlice, RStr, RVec};

/// Names the meaning of the functions in [`PluginRoot`]. A host refuses any other level.
pub const ABI_LEVEL: u32 = 1;

/// Names the exported header of a plugin library, as `abi_stable` mangles it.
pub const HEADER_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

/// Receives log lines of one plugin. Must not panic.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct HostLog {
    /// Tells the host which plugin speaks.
    pub token: usize,
    /// Takes the token, the level (1 error, 2 warning, 3 information, else debugging) and the line.
    pub log: extern "C" fn(usize, u8, RStr<'_>),
}

/// An answer or an error, both encoded.
pub type Answer = RResult<RVec<u8>, RVec<u8>>;

/// The root module that a plugin library exports.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRootRef)))]
pub struct PluginRoot {
    /// [`ABI_LEVEL`] at the time the plugin was built.
    pub abi_level: u32,
    /// Says that panics unwind in the plugin. If not, one panic would end the host.
    pub panic_unwind: bool,
    /// Connects the plugin's log with the host, once.
    pub set_log: extern "C" fn(HostLog),
    /// Answers a method. Never unwinds.
    #[sabi(last_prefix_field)]
    pub invoke: extern "C" fn(RStr<'_>, RSlice<'_, u8>) -> Answer,
}

impl RootModule for PluginRootRef {
    const BASE_NAME: &'static str = "kubectl_pivot_plugin";
    const NAME: &'static str = "kubectl_pivot_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("1.0.0");
    abi_stable::declare_root_module_statics! {PluginRootRef}
}

/// Fills the root module of one plugin.
pub trait Export {
    /// Returns the root module; the host asks once.
    fn root() -> PluginRoot;
}

/// Returns the header that a plugin library exports under [`HEADER_SYMBOL`].
pub const fn header<E: Export>() -> LibHeader {
    // SAFETY: `constructor` returns the erased prefix of a `PluginRootRef`, which is the type
    // named here.
    unsafe { LibHeader::from_constructor::<PluginRootRef>(constructor::<E>, CheckTypeLayout::Yes) }
}

extern "C" fn constructor<E: Export>() -> RootModuleResult {
    __call_root_module_loader(root::<E>)
}

fn root<E: Export>() -> PluginRootRef {
    E::root().leak_into_prefix()
}
