//! A plugin of another time, for the tests of hosts: they write into its library of which. It
//! knows the method `info` and no other.
//!
//! It implements the boundary by hand, because `export_plugin!` knows only the present.
#![expect(unsafe_code, reason = "exports the header without the macro")]

use std::hint::black_box;

use kubectl_pivot_plugin_abi::{
    Answer, Export, HostLog, LibHeader, PluginRoot, RResult, RSlice, RStr, header,
};

/// The ABI level and the protocol, each in two digits, behind a mark that tests look for.
static TIME: &[u8; 26] = b"versions: abi 01 api 01.00";

struct Versions;

// SAFETY: only the host looks this symbol up, in one library at a time.
#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static HEADER: LibHeader = header::<Versions>();

impl Export for Versions {
    fn root() -> PluginRoot {
        let panic_unwind = cfg!(panic = "unwind");
        PluginRoot { abi_level: number(14), panic_unwind, set_log, invoke }
    }
}

/// The two digits at this place of the text, as the file of the library has them now.
fn number(at: usize) -> u32 {
    let time = black_box(TIME);
    time[at..at + 2].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

extern "C" fn set_log(_: HostLog) {}

extern "C" fn invoke(method: RStr<'_>, _: RSlice<'_, u8>) -> Answer {
    let answer = match method.as_str() {
        "info" => format!(
            r#"{{"name": "versions", "kind": "infrastructure", "protocol": "{}.{}",
                "provider": "versions", "fieldOfTheFuture": [{{}}]}}"#,
            number(21),
            number(24)
        ),
        _ => {
            let error = r#"{"code": "unknown-method", "message": "not in my time"}"#;
            return RResult::RErr(error.as_bytes().to_vec().into());
        }
    };
    RResult::ROk(answer.into_bytes().into())
}
