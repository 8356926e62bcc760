//! Transports: how Axon moves bytes, and nothing about what they mean.
#![deny(unsafe_code)]

mod backlog;
mod chunks;
mod contract;
mod dice;
mod faulty;
mod mem;
mod reading;
mod slots;
mod tcp;

pub use contract::*;
pub use faulty::{Faults, Faulty};
pub use mem::{Direction, MemLink, MemNetwork, MemOptions};
pub use tcp::TcpTransport;
