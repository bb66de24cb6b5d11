//! The boundary never changes: a plugin that is built today loads in every later host.

use std::fs;
use std::path::Path;

use kubectl_pivot_plugin_abi::HEADER_SYMBOL;
use object::Object as _;
use plugin_host::Sha256;

use crate::support::docker;

/// Not to be brought up to date: a change of the boundary refuses all plugins that exist. What a
/// plugin needs beyond it goes into the messages, or into a second boundary beside this one.
const FROZEN: [(&str, &str); 2] = [
    ("Cargo.toml", "90ab8f85bab0ea2f54989ad2f180fbf9e2d02ba2546e754416b3aaf6d0bd1259"),
    ("src/lib.rs", "3af412c9e84a51aa2491b7ca2891f4eec6e21451e2311ddd5fe48974def168be"),
];

#[test]
fn the_source_and_the_manifest_of_the_boundary_are_those_of_1_0_0() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-api/abi");
    for (file, hash) in FROZEN {
        let bytes = fs::read(folder.join(file)).expect("it is part of the repository");
        assert_eq!(Sha256::of(&bytes).to_string(), hash, "plugin-api/abi/{file} is frozen");
    }
    let count = |folder: &Path| fs::read_dir(folder).expect("a folder of the repository").count();
    assert_eq!(count(&folder) + count(&folder.join("src")), 3, "the boundary has no other files");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("it is readable");
    assert!(manifest.contains("\nversion = \"1.0.0\"\n"), "the version is not that of the program");
}

#[test]
fn a_plugin_exports_the_header_and_nothing_else() {
    let bytes = fs::read(docker()).expect("it was just built");
    let library = object::File::parse(&*bytes).expect("it is a library");
    let exports = library.exports().expect("its table of symbols is readable");
    let name = |export: object::Result<object::Export<'_>>| {
        let export = export.expect("it is readable");
        let name = export.name().into_name().expect("symbols have names here");
        String::from_utf8_lossy(name).into_owned()
    };
    let names: Vec<_> = exports.map(name).collect();
    // Mach-O begins every name with an underscore.
    let expected = if cfg!(target_vendor = "apple") {
        format!("_{HEADER_SYMBOL}")
    } else {
        HEADER_SYMBOL.to_owned()
    };
    assert_eq!(names, [expected]);
    assert_eq!(HEADER_SYMBOL, abi_stable::library::ROOT_MODULE_LOADER_NAME);
}
