//! See `axon_fuzz::targets::crush`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| axon_fuzz::targets::crush(bytes));
