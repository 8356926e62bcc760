//! Objects in the order in which OSDs keep and list them.

use super::NO_SNAP;
use axon_denc::{Decode, DecodeError, Decoder, Encode, put_versioned};
use bytes::Bytes;
use std::cmp::Ordering;
use std::fmt;

/// An object with everything that decides its place in the order of objects (`hobject_t`).
///
/// ```text
/// u8 4 | u8 3 | le32 length | blob key | blob name | le64 snap | le32 hash | u8 max | blob namespace | le64 pool
/// ```
///
/// The order is: pool, then the hash with its bits reversed, then namespace, key (or name), name, snapshot. So the
/// objects of a placement group stand together, also after the group is split.
///
/// Ceph: `src/common/hobject.{h,cc}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HObject {
    /// Placed by this text instead of the name; empty for the name itself.
    pub key: Bytes,
    /// The name.
    pub name: Bytes,
    /// The snapshot, [`NO_SNAP`] for the present state.
    pub snap: u64,
    /// The hash of name and namespace.
    pub hash: u32,
    /// Behind all objects; nothing else counts then.
    pub max: bool,
    /// The namespace.
    pub namespace: Bytes,
    /// The pool; [`HObject::NO_POOL`] in front of all objects.
    pub pool: i64,
}

const VERSION: u8 = 4;
const COMPAT: u8 = 3;
/// What old encoders wrote for "no pool".
const OLD_NO_POOL: i64 = -1;

impl HObject {
    /// The pool of the place in front of all objects.
    pub const NO_POOL: i64 = i64::MIN;

    /// The place in front of all objects.
    pub const fn min() -> Self {
        Self::start_of(Self::NO_POOL, 0)
    }

    /// The place behind all objects.
    pub const fn max() -> Self {
        let mut place = Self::min();
        place.max = true;
        place
    }

    /// The place in front of all objects of `pool` whose hash is `hash`.
    pub const fn start_of(pool: i64, hash: u32) -> Self {
        Self {
            key: Bytes::new(),
            name: Bytes::new(),
            snap: 0,
            hash,
            max: false,
            namespace: Bytes::new(),
            pool,
        }
    }

    /// The present state of an object.
    pub fn head(pool: i64, namespace: Bytes, name: Bytes, key: Bytes, hash: u32) -> Self {
        let key = if key == name { Bytes::new() } else { key };
        Self { key, name, snap: NO_SNAP, hash, max: false, namespace, pool }
    }

    /// Whether this is the place behind all objects.
    pub const fn is_max(&self) -> bool {
        self.max
    }

    fn is_old_min(&self) -> bool {
        let empty = self.key.is_empty() && self.name.is_empty() && self.namespace.is_empty();
        empty && !self.max && self.pool == OLD_NO_POOL && self.snap == 0 && self.hash == 0
    }

    fn effective_key(&self) -> &[u8] {
        if self.key.is_empty() { &self.name } else { &self.key }
    }

    fn place(&self) -> impl Ord + '_ {
        let hash = self.hash.reverse_bits();
        (self.pool, hash, &self.namespace, self.effective_key(), &self.name, self.snap)
    }
}

impl Ord for HObject {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.max, other.max) {
            (true, true) => Ordering::Equal,
            (false, false) => self.place().cmp(&other.place()),
            (mine, others) => mine.cmp(&others),
        }
    }
}

impl PartialOrd for HObject {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for HObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.max {
            return f.write_str("MAX");
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (key, name, namespace) = (text(&self.key), text(&self.name), text(&self.namespace));
        write!(f, "{}:{:08x}:{namespace}:{key}:{name}:", self.pool, self.hash.reverse_bits())?;
        match self.snap {
            NO_SNAP => f.write_str("head"),
            snap => write!(f, "{snap:x}"),
        }
    }
}

impl Encode for HObject {
    fn encode(&self, out: &mut Vec<u8>) {
        put_versioned(out, VERSION, COMPAT, |out| {
            self.key[..].encode(out);
            self.name[..].encode(out);
            self.snap.encode(out);
            self.hash.encode(out);
            self.max.encode(out);
            self.namespace[..].encode(out);
            self.pool.encode(out);
        });
    }
}

impl Decode for HObject {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut body) = input.versioned("object", VERSION)?;
        let object = Self {
            key: Bytes::copy_from_slice(body.blob()?),
            name: Bytes::copy_from_slice(body.blob()?),
            snap: body.u64()?,
            hash: body.u32()?,
            max: body.bool()?,
            namespace: Bytes::copy_from_slice(body.blob()?),
            pool: body.i64()?,
        };
        Ok(if object.is_old_min() { Self::min() } else { object })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &'static str, hash: u32) -> HObject {
        HObject::head(3, Bytes::new(), Bytes::from_static(name.as_bytes()), Bytes::new(), hash)
    }

    #[test]
    fn reads_back() {
        for object in [HObject::min(), HObject::max(), HObject::start_of(2, 7), object("a", 0x1234_5678)] {
            assert_eq!(HObject::from_bytes(&object.to_vec()), Ok(object));
        }
    }

    #[test]
    fn bytes_of_the_beginning() {
        let bytes = HObject::start_of(1, 2).to_vec();
        assert_eq!(bytes.len(), 6 + 4 + 4 + 8 + 4 + 1 + 4 + 8);
        assert_eq!(bytes[..6], [4, 3, 33, 0, 0, 0]);
        assert_eq!(bytes[22..26], 2u32.to_le_bytes());
    }

    #[test]
    fn the_old_beginning_is_the_beginning() {
        let old = HObject { pool: -1, ..HObject::min() };
        assert_eq!(HObject::from_bytes(&old.to_vec()), Ok(HObject::min()));
    }

    #[test]
    fn order() {
        let mut keyed = object("a", 1);
        keyed.key = Bytes::from_static(b"z");
        let in_order = [
            HObject::min(),
            HObject::start_of(3, 0),
            object("zz", 0),
            object("a", 0x8000_0000), // the highest bit of the hash counts least
            HObject::start_of(3, 1),
            object("a", 1),
            object("b", 1),
            keyed,
            HObject::start_of(4, 0),
            HObject::max(),
        ];
        assert!(in_order.is_sorted(), "{in_order:#?}");
        assert!(in_order.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn texts() {
        assert_eq!(object("a", 1).to_string(), "3:80000000:::a:head");
        assert_eq!(HObject::max().to_string(), "MAX");
    }
}
