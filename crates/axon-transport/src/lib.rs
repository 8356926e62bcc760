//! Transports: how Axon moves bytes, and nothing about what they mean.
#![deny(unsafe_code)]

mod backlog;
mod chunks;
mod contract;
mod reading;
mod slots;
mod tcp;

pub use contract::*;
pub use tcp::TcpTransport;
