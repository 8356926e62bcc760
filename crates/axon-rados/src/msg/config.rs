//! The configuration the monitors keep for a client.

use super::{MIN_BLOB, TypedMessage, put_map, read_map};
use axon_denc::{DecodeError, Decoder, Encode, Features};
use std::collections::BTreeMap;

/// The options set for a client in the monitors' configuration database: le32 n, then n times blob key, blob value.
///
/// Ceph: `src/messages/MConfig.h`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MConfig {
    /// Values by option.
    pub options: BTreeMap<String, String>,
}

impl TypedMessage for MConfig {
    const KIND: u16 = 62;
    const NAME: &'static str = "config";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        put_map(out, self.options.iter(), |value, out| value.encode(out));
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let options = read_map(front, 2 * MIN_BLOB, |front| {
            let key = front.string("option")?;
            Ok((key, front.string("option value")?))
        })?;
        Ok(Self { options })
    }
}
