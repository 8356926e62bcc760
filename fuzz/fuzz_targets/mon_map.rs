//! See `axon_fuzz::targets::mon_map`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("mon_map"), |bytes: &[u8]| axon_fuzz::run("mon_map", bytes));
