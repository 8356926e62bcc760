//! Transports: how Axon moves bytes, and nothing about what they mean.
#![deny(unsafe_code)]

mod contract;
mod slots;
mod tcp;

pub use contract::*;
pub use tcp::TcpTransport;
