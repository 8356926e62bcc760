//! See `axon_fuzz::targets::addrs`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("addrs"), |bytes: &[u8]| axon_fuzz::run("addrs", bytes));
