//! See `plugin_host::fuzzing::sidecars`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| plugin_host::fuzzing::sidecars(text));
