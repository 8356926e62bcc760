//! The omap: values by name, sorted, as many as one likes.

use super::compound::length_of;
use super::xattr::{read_values, read_values_from, slice};
use super::{Pick, ReadOp, WriteOp};
use crate::Name;
use crate::osd::{Extent, OpCode, OsdOp};
use axon_denc::{DecodeError, Decoder, Encode, put_blob};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Some of the omap's names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OmapKeys {
    /// The names, in order.
    pub keys: Vec<Name>,
    /// There are more behind the last one.
    pub more: bool,
}

/// Some of the omap's values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OmapVals {
    /// The values by name.
    pub values: BTreeMap<Name, Bytes>,
    /// There are more behind the last one.
    pub more: bool,
}

/// An empty name: its length.
const MIN_BLOB: usize = 4;

impl ReadOp {
    /// Asks for up to `max` names behind `after`; an empty `after` begins at the first. The OSD may return fewer and
    /// says so.
    pub fn omap_keys(&mut self, after: impl AsRef<[u8]>, max: u64) -> Pick<OmapKeys> {
        let mut payload = blob(after.as_ref());
        max.encode(&mut payload);
        self.0.ask(op(OpCode::OMAP_GET_KEYS, &payload), payload.into(), |data| {
            let mut input = Decoder::new(data);
            Ok(OmapKeys { keys: read_names(data, &mut input)?, more: read_more(&mut input)? })
        })
    }

    /// Asks for up to `max` values behind `after` whose names begin with `prefix`; an empty `after` begins at the first. The
    /// OSD may return fewer and says so.
    pub fn omap_vals(
        &mut self,
        after: impl AsRef<[u8]>,
        prefix: impl AsRef<[u8]>,
        max: u64,
    ) -> Pick<OmapVals> {
        let mut payload = blob(after.as_ref());
        max.encode(&mut payload);
        put_blob(&mut payload, prefix.as_ref());
        self.0.ask(op(OpCode::OMAP_GET_VALS, &payload), payload.into(), |data| {
            let mut input = Decoder::new(data);
            Ok(OmapVals { values: read_values_from(data, &mut input)?, more: read_more(&mut input)? })
        })
    }

    /// Asks for the values of `keys`; those that do not exist are left out.
    pub fn omap_vals_by_keys<K: AsRef<[u8]>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Pick<BTreeMap<Name, Bytes>> {
        let payload = set_of(keys);
        self.0.ask(op(OpCode::OMAP_GET_VALS_BY_KEYS, &payload), payload.into(), read_values)
    }

    /// Asks for the omap's header.
    pub fn omap_header(&mut self) -> Pick<Bytes> {
        self.0.ask(op(OpCode::OMAP_GET_HEADER, &[]), Bytes::new(), |data| Ok(data.clone()))
    }
}

impl WriteOp {
    /// Sets values; those that exist are replaced.
    pub fn omap_set<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        values: impl IntoIterator<Item = (K, V)>,
    ) -> &mut Self {
        let sorted: Vec<(K, V)> = values.into_iter().collect();
        let mut payload = count(sorted.len()).to_vec();
        for (key, value) in &sorted {
            put_blob(&mut payload, key.as_ref());
            put_blob(&mut payload, value.as_ref());
        }
        self.omap(OpCode::OMAP_SET_VALS, payload.into())
    }

    /// Sets the header.
    pub fn omap_set_header(&mut self, header: impl Into<Bytes>) -> &mut Self {
        self.omap(OpCode::OMAP_SET_HEADER, header.into())
    }

    /// Removes values; those that do not exist are no error.
    pub fn omap_remove<K: AsRef<[u8]>>(&mut self, keys: impl IntoIterator<Item = K>) -> &mut Self {
        self.omap(OpCode::OMAP_RM_KEYS, set_of(keys).into())
    }

    /// Removes the values from `begin` up to, not including, `end`, which must not come before `begin`: some OSDs (those with
    /// MemStore, at least) break off at a range that goes backwards, so none is sent with `begin` behind `end`.
    pub fn omap_remove_range(&mut self, begin: impl AsRef<[u8]>, end: impl AsRef<[u8]>) -> &mut Self {
        let (begin, end) = (begin.as_ref(), end.as_ref());
        let mut payload = blob(begin);
        put_blob(&mut payload, begin.max(end));
        self.omap(OpCode::OMAP_RM_KEY_RANGE, payload.into())
    }

    /// Removes all values and the header.
    pub fn omap_clear(&mut self) -> &mut Self {
        self.omap(OpCode::OMAP_CLEAR, Bytes::new())
    }

    fn omap(&mut self, code: OpCode, payload: Bytes) -> &mut Self {
        self.0.push(op(code, &payload), payload);
        self
    }
}

/// An operation whose arguments are in its payload.
fn op(code: OpCode, payload: &[u8]) -> OsdOp {
    let extent = Extent { length: payload.len() as u64, ..Extent::default() };
    OsdOp::on_extent(code, extent, length_of(payload))
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("a request has fewer than 2^32 values")
}

fn set_of<K: AsRef<[u8]>>(keys: impl IntoIterator<Item = K>) -> Vec<u8> {
    let keys: Vec<K> = keys.into_iter().collect();
    let mut payload = count(keys.len()).to_vec();
    keys.iter().for_each(|key| put_blob(&mut payload, key.as_ref()));
    payload
}

fn blob(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(MIN_BLOB + bytes.len());
    put_blob(&mut out, bytes);
    out
}

/// A set of names, each a slice of the answer.
fn read_names(data: &Bytes, input: &mut Decoder<'_>) -> Result<Vec<Name>, DecodeError> {
    let n = input.count(MIN_BLOB)?;
    (0..n).map(|_| Ok(slice(data, input.blob()?).into())).collect()
}

/// OSDs older than Luminous do not say.
fn read_more(input: &mut Decoder<'_>) -> Result<bool, DecodeError> {
    if input.is_empty() { Ok(false) } else { input.bool() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Compound;

    #[test]
    fn payloads() {
        let mut op = WriteOp::new();
        op.omap_set([("b", "2")]);
        let (ops, payload) = Compound::from(op).into_parts();
        assert_eq!(payload[..], [1, 0, 0, 0, 1, 0, 0, 0, b'b', 1, 0, 0, 0, b'2']);
        assert_eq!((ops[0].code, ops[0].extent().length), (OpCode::OMAP_SET_VALS, 14));

        let mut op = ReadOp::new();
        op.omap_vals("a", "p", 9);
        let (_, payload) = Compound::from(op).into_parts();
        assert_eq!(payload[..], [1, 0, 0, 0, b'a', 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, b'p']);
    }

    #[test]
    fn keys_are_bytes() {
        let mut op = WriteOp::new();
        op.omap_remove([&b"\x80"[..]]);
        let (_, payload) = Compound::from(op).into_parts();
        assert_eq!(payload[..], [1, 0, 0, 0, 1, 0, 0, 0, 0x80]);

        let page = Bytes::from(vec![2, 0, 0, 0, 1, 0, 0, 0, b'k', 1, 0, 0, 0, 0x80]);
        let names = read_names(&page, &mut Decoder::new(&page)).unwrap();
        assert_eq!(names, [Name::from("k"), Name::from(&b"\x80"[..])]);
        let absurd = Bytes::from_static(&[0xff; 8]);
        assert!(read_names(&absurd, &mut Decoder::new(&absurd)).is_err());
    }
}
