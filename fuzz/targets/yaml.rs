//! See `support::fuzzing::yaml`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| support::fuzzing::yaml(text));
