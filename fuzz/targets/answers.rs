//! See `cluster::fuzzing::answers`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| cluster::fuzzing::answers(text));
