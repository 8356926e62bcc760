//! The msgr2 wire format: bytes to frames and back.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod message;

pub use message::{Message, MessageHeader};
