//! See `axon_fuzz::targets::osd_map_change`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("osd_map_change"), |bytes: &[u8]| axon_fuzz::run("osd_map_change", bytes));
