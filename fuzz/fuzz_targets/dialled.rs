//! See `axon_fuzz::link::dialled`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("dialled"), |bytes: &[u8]| axon_fuzz::run("dialled", bytes));
