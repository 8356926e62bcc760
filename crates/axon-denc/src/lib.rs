//! Ceph's binary encoding: integers, blobs, versioned structs, and the nouns every layer shares
//! (entity names, addresses, features, times).
//!
//! Everything is little-endian and packed. A decoder never panics and never allocates more than the
//! bytes it was handed could justify; every count and length is checked against what is left.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod addr;
mod codec;
mod features;
mod name;
mod time;

pub use addr::{AddrType, AddrVec, BadAddr, EntityAddr};
pub use codec::{Decode, DecodeError, Decoder, Encode, put_blob, put_list, put_sized, put_versioned};
pub use features::Features;
pub use name::{BadEntityName, EntityName, EntityType};
pub use time::UTime;
