//! Transports: how Axon moves bytes, and nothing about what they mean.
#![deny(unsafe_code)]

mod contract;

pub use contract::*;
