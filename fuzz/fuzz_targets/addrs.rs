//! See `axon_fuzz::targets::addrs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| axon_fuzz::targets::addrs(bytes));
