//! See `axon_fuzz::targets::crush`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("crush"), |bytes: &[u8]| axon_fuzz::run("crush", bytes));
