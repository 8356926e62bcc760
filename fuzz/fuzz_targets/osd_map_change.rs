//! See `axon_fuzz::targets::osd_map_change`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| axon_fuzz::targets::osd_map_change(bytes));
