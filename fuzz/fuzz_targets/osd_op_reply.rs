//! See `axon_fuzz::targets::osd_op_reply`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| axon_fuzz::targets::osd_op_reply(bytes));
