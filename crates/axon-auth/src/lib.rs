//! Authentication for msgr2: methods `none` and `cephx`, client and service side.
//!
//! Each attempt to authenticate is one object that consumes and produces byte strings; the handshake in
//! `axon-proto` drives it and knows nothing of tickets. Time and randomness come in as arguments.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod error;
mod exchange;

pub use error::AuthError;
pub use exchange::*;
