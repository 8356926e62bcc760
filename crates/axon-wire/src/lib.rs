//! The msgr2 wire format: bytes to frames and back.
//!
//! Nothing here reads a socket, a clock or a random source. Each direction of a socket has its own type: [`FrameWriter`]
//! appends frames to a [`FrameBuf`], [`FrameReader`] takes the bytes of one frame after the other. [`Banner`] is what goes
//! before the first frame. Each control frame is a struct with a page of its own; [`Control`] is any of them.
//!
//! Bytes from a peer never panic, and nothing is allocated because a peer announced a length: [`Limits`] are checked when
//! the first block of a frame is read, and the memory for the rest is the caller's.
//!
//! ```
//! use axon_wire::{Frame, FrameBuf, FrameReader, FrameWriter, Limits, Message, Received, default_provider};
//! use bytes::BytesMut;
//!
//! let mut frames = FrameBuf::new();
//! FrameWriter::new(default_provider()).message(&Message::new(42, &b"hello"[..]), &mut frames)?;
//! let mut parts = Vec::new();
//! frames.drain_into(&mut parts);
//! let mut bytes = BytesMut::from(&parts.concat()[..]);
//!
//! let mut reader = FrameReader::new(default_provider());
//! reader.set_limits(Limits::SESSION);
//! let head = reader.open_head(&mut bytes.split_to(reader.first_block_len()))?;
//! let body = bytes.split_to(head.body_len());
//! match reader.open_body(head, body)? {
//!     Received::Frame(Frame::Message(message)) => assert_eq!(message.front, "hello"),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), axon_wire::WireError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod banner;
mod buffer;
mod control;
mod error;
mod layout;
mod limits;
mod message;
mod nonce;
mod preamble;
pub mod provider;
mod reader;
mod tag;
mod writer;

pub use banner::{Banner, Msgr2Features};
pub use buffer::FrameBuf;
pub use control::*;
pub use error::{Blame, WireError};
pub use layout::Revision;
pub use limits::Limits;
pub use message::{Message, MessageHeader};
pub use preamble::{MAX_SEGMENTS, Preamble};
pub use provider::{Aead, Provider, default_provider};
pub use reader::{Frame, FrameReader, Head, Received};
pub use tag::Tag;
pub use writer::FrameWriter;
