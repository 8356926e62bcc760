//! See `axon_fuzz::targets::osd_op_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: axon_fuzz::begin("osd_op_reply"), |bytes: &[u8]| axon_fuzz::run("osd_op_reply", bytes));
