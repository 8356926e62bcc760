//! See `axon_fuzz::targets::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("frames"), |bytes: &[u8]| axon_fuzz::run("frames", bytes));
