//! The smallest message.

use super::TypedMessage;
use axon_denc::{DecodeError, Decoder, Features};

/// Says nothing; peers that get one may answer with one.
///
/// Ceph: `src/messages/MPing.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MPing;

impl TypedMessage for MPing {
    const KIND: u16 = 2;
    const NAME: &'static str = "ping";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, _out: &mut Vec<u8>) {}

    /// Some senders put bytes into it; they are ignored.
    fn read_front(_version: u16, _front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}
