//! See `workflow::fuzzing::documents`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| workflow::fuzzing::documents(text));
