//! See `axon_fuzz::link::accepted`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("accepted"), |bytes: &[u8]| axon_fuzz::run("accepted", bytes));
