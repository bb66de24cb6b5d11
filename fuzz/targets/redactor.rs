//! See `support::fuzzing::redactor`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| support::fuzzing::redactor(text));
