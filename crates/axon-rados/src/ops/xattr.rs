//! Extended attributes: a few short values by name.

use super::compound::length_of;
use super::{Pick, ReadOp, WriteOp};
use crate::msg::read_map;
use crate::osd::{OpCode, OsdOp};
use axon_denc::{DecodeError, Decoder, Encode};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::BTreeMap;

impl ReadOp {
    /// Asks for the attribute `name`. Fails with ENODATA if there is none.
    pub fn get_xattr(&mut self, name: &str) -> Pick<Bytes> {
        let (op, payload) = named(OpCode::GETXATTR, name, Bytes::new(), |_| {});
        self.0.ask(op, payload, |data| Ok(data.clone()))
    }

    /// Asks for all attributes.
    pub fn get_xattrs(&mut self) -> Pick<BTreeMap<String, Bytes>> {
        let op = OsdOp::with_args(OpCode::GETXATTRS, 0, |_| {});
        self.0.ask(op, Bytes::new(), read_values)
    }
}

impl WriteOp {
    /// Sets the attribute `name`.
    pub fn set_xattr(&mut self, name: &str, value: impl Into<Bytes>) -> &mut Self {
        let (op, payload) = named(OpCode::SETXATTR, name, value.into(), |_| {});
        self.0.push(op, payload);
        self
    }

    /// Removes the attribute `name`; nothing happens if there is none.
    pub fn remove_xattr(&mut self, name: &str) -> &mut Self {
        let (op, payload) = named(OpCode::RMXATTR, name, Bytes::new(), |_| {});
        self.0.push(op, payload);
        self
    }
}

/// An operation on an attribute: le32 name length | le32 value length | `more`; the payload is name and value.
pub(super) fn named(
    code: OpCode,
    name: &str,
    value: Bytes,
    more: impl FnOnce(&mut Vec<u8>),
) -> (OsdOp, Bytes) {
    let mut payload = BytesMut::with_capacity(name.len() + value.len());
    payload.put(name.as_bytes());
    payload.put(&value[..]);
    let op = OsdOp::with_args(code, length_of(&payload), |args| {
        length_of(name.as_bytes()).encode(args);
        length_of(&value).encode(args);
        more(args);
    });
    (op, payload.freeze())
}

/// A map of names to blobs, each a slice of the answer.
pub(super) fn read_values(data: &Bytes) -> Result<BTreeMap<String, Bytes>, DecodeError> {
    read_values_from(data, &mut Decoder::new(data))
}

/// The same in the middle of `data`.
pub(super) fn read_values_from(
    data: &Bytes,
    input: &mut Decoder<'_>,
) -> Result<BTreeMap<String, Bytes>, DecodeError> {
    const TWO_BLOBS: usize = 8;
    read_map(input, TWO_BLOBS, |input| Ok((input.string("name")?, slice(data, input.blob()?))))
}

/// The part of `data` that `blob` is.
fn slice(data: &Bytes, blob: &[u8]) -> Bytes {
    if blob.is_empty() { Bytes::new() } else { data.slice_ref(blob) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_value_follow_each_other() {
        let (op, payload) = named(OpCode::SETXATTR, "ab", Bytes::from("cde"), |_| {});
        assert_eq!(op.args[..9], [2, 0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!((op.payload_len, &payload[..]), (5, &b"abcde"[..]));
    }

    #[test]
    fn values_are_read() {
        let mut bytes = 1u32.to_vec();
        "k".encode(&mut bytes);
        "".encode(&mut bytes);
        let values = read_values(&bytes.into()).unwrap();
        assert_eq!(values, BTreeMap::from([("k".to_owned(), Bytes::new())]));
        assert!(read_values(&Bytes::from_static(&[0xff; 40])).is_err());
    }
}
