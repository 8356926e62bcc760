//! See `axon_fuzz::targets::mon_map`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| axon_fuzz::targets::mon_map(bytes));
