//! What is fuzzed, and the real captures to begin with.
#![forbid(unsafe_code)]

pub mod seeds;
pub mod targets;
