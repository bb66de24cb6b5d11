//! See `transfer::fuzzing::manifests`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| transfer::fuzzing::manifests(text));
