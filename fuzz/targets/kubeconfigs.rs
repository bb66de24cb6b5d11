//! See `cluster::fuzzing::kubeconfigs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| cluster::fuzzing::kubeconfigs(text));
