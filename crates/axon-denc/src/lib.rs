//! Ceph's binary encoding: integers, blobs, versioned structs, and the nouns every layer shares
//! (entity names, addresses, features, times).
//!
//! Everything is little-endian and packed. A decoder never panics and never allocates more than the
//! bytes it was handed could justify; every count and length is checked against what is left.
//!
//! ```
//! use axon_denc::{Decode, Encode, EntityAddr};
//!
//! let addr: EntityAddr = "v2:127.0.0.1:6800/5".parse()?;
//! let bytes = addr.to_vec();
//! assert_eq!(bytes.len(), 35);
//! assert_eq!(EntityAddr::from_bytes(&bytes)?, addr);
//! assert!(EntityAddr::from_bytes(&bytes[..34]).is_err());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
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
