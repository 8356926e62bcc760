//! See `axon_fuzz::targets::messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("messages"), |bytes: &[u8]| axon_fuzz::run("messages", bytes));
