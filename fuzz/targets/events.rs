//! See `cluster::fuzzing::events`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| cluster::fuzzing::events(text));
