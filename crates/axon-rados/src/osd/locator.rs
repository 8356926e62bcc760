//! Where an object's name is looked up.

use axon_denc::{Decode, DecodeError, Decoder, Encode, put_versioned};
use bytes::Bytes;

/// The pool and namespace an object is in, and what its placement is computed from (`object_locator_t`).
///
/// ```text
/// u8 6 | u8 compat 3 (6 with a hash) | le32 length | le64 pool | le32 -1 | blob key | blob namespace | le64 hash
/// ```
///
/// Ceph: `src/osd/osd_types.h`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectLocator {
    /// The pool, -1 for none.
    pub pool: i64,
    /// Placed by this text instead of the object's name; empty for the name itself.
    pub key: Bytes,
    /// The namespace; empty for the default one.
    pub namespace: Bytes,
    /// Placed by this hash instead of a text; `None` otherwise. Never together with a key.
    pub hash: Option<u32>,
}

const VERSION: u8 = 6;
/// What old decoders must know when the hash says nothing.
const COMPAT: u8 = 3;
const NO_HASH: i64 = -1;
/// Stands where the preferred OSD used to be.
const NO_PREFERRED: i32 = -1;

impl ObjectLocator {
    /// The default namespace of `pool`.
    pub const fn pool(pool: i64) -> Self {
        Self { pool, key: Bytes::new(), namespace: Bytes::new(), hash: None }
    }
}

impl Encode for ObjectLocator {
    fn encode(&self, out: &mut Vec<u8>) {
        LocatorView::of(self).encode(out);
    }
}

impl Encode for LocatorView<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let compat = self.hash.map_or(COMPAT, |_| VERSION);
        put_versioned(out, VERSION, compat, |out| {
            self.pool.encode(out);
            NO_PREFERRED.encode(out);
            self.key.encode(out);
            self.namespace.encode(out);
            self.hash.map_or(NO_HASH, i64::from).encode(out);
        });
    }
}

impl Decode for ObjectLocator {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        LocatorView::decode(input).map(|view| view.to_owned())
    }
}

/// A locator whose texts are somewhere else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocatorView<'a> {
    pub(crate) pool: i64,
    pub(crate) key: &'a [u8],
    pub(crate) namespace: &'a [u8],
    pub(crate) hash: Option<u32>,
}

impl<'a> LocatorView<'a> {
    pub(crate) fn of(locator: &'a ObjectLocator) -> Self {
        let ObjectLocator { pool, key, namespace, hash } = locator;
        Self { pool: *pool, key, namespace, hash: *hash }
    }

    pub(crate) fn decode(input: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        let (version, mut body) = input.versioned("object locator", VERSION)?;
        let pool = body.i64()?;
        body.i32()?;
        let key = body.blob()?;
        let namespace = if version >= 5 { body.blob()? } else { &[] };
        let hash = if version >= 6 { body.i64()? } else { NO_HASH };
        Ok(Self { pool, key, namespace, hash: read_hash(hash)? })
    }

    pub(crate) fn to_owned(self) -> ObjectLocator {
        ObjectLocator {
            pool: self.pool,
            key: Bytes::copy_from_slice(self.key),
            namespace: Bytes::copy_from_slice(self.namespace),
            hash: self.hash,
        }
    }
}

fn read_hash(value: i64) -> Result<Option<u32>, DecodeError> {
    match value {
        NO_HASH => Ok(None),
        _ => u32::try_from(value)
            .map(Some)
            .map_err(|_| DecodeError::Undefined { what: "locator hash", value: value as u64 }),
    }
}
