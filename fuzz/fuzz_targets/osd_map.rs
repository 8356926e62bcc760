//! See `axon_fuzz::targets::osd_map`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("osd_map"), |bytes: &[u8]| axon_fuzz::run("osd_map", bytes));
