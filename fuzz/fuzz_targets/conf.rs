//! See `axon_fuzz::targets::conf`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("conf"), |bytes: &[u8]| axon_fuzz::run("conf", bytes));
