//! Extended attributes: a few short values by name.

use super::compound::length_of;
use super::{Pick, ReadOp, WriteOp};
use crate::Name;
use crate::msg::read_map;
use crate::osd::{OpCode, OsdOp};
use axon_denc::{DecodeError, Decoder, Encode};
use bytes::{BufMut, Bytes, BytesMut};
use std::collections::BTreeMap;

impl ReadOp {
    /// Asks for the attribute `name`. Fails with ENODATA if there is none.
    pub fn get_xattr(&mut self, name: impl AsRef<[u8]>) -> Pick<Bytes> {
        let (op, payload) = named(OpCode::GETXATTR, name.as_ref(), Bytes::new(), |_| {});
        self.0.ask(op, payload, |data| Ok(data.clone()))
    }

    /// Asks for all attributes.
    pub fn get_xattrs(&mut self) -> Pick<BTreeMap<Name, Bytes>> {
        let op = OsdOp::with_args(OpCode::GETXATTRS, 0, |_| {});
        self.0.ask(op, Bytes::new(), read_values)
    }
}

impl WriteOp {
    /// Sets the attribute `name`.
    pub fn set_xattr(&mut self, name: impl AsRef<[u8]>, value: impl Into<Bytes>) -> &mut Self {
        let (op, payload) = named(OpCode::SETXATTR, name.as_ref(), value.into(), |_| {});
        self.0.push(op, payload);
        self
    }

    /// Removes the attribute `name`; nothing happens if there is none.
    pub fn remove_xattr(&mut self, name: impl AsRef<[u8]>) -> &mut Self {
        let (op, payload) = named(OpCode::RMXATTR, name.as_ref(), Bytes::new(), |_| {});
        self.0.push(op, payload);
        self
    }
}

/// An operation on an attribute: le32 name length | le32 value length | `more`; the payload is name and value.
pub(super) fn named(
    code: OpCode,
    name: &[u8],
    value: Bytes,
    more: impl FnOnce(&mut Vec<u8>),
) -> (OsdOp, Bytes) {
    let mut payload = BytesMut::with_capacity(name.len() + value.len());
    payload.put(name);
    payload.put(&value[..]);
    let op = OsdOp::with_args(code, length_of(&payload), |args| {
        length_of(name).encode(args);
        length_of(&value).encode(args);
        more(args);
    });
    (op, payload.freeze())
}

/// A map of names to blobs, each a slice of the answer.
pub(super) fn read_values(data: &Bytes) -> Result<BTreeMap<Name, Bytes>, DecodeError> {
    read_values_from(data, &mut Decoder::new(data))
}

/// The same in the middle of `data`.
pub(super) fn read_values_from(
    data: &Bytes,
    input: &mut Decoder<'_>,
) -> Result<BTreeMap<Name, Bytes>, DecodeError> {
    const TWO_BLOBS: usize = 8;
    read_map(input, TWO_BLOBS, |input| Ok((slice(data, input.blob()?).into(), slice(data, input.blob()?))))
}

/// The part of `data` that `blob` is.
pub(super) fn slice(data: &Bytes, blob: &[u8]) -> Bytes {
    if blob.is_empty() { Bytes::new() } else { data.slice_ref(blob) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axon_denc::put_blob;

    #[test]
    fn name_and_value_follow_each_other() {
        let (op, payload) = named(OpCode::SETXATTR, b"ab", Bytes::from("cde"), |_| {});
        assert_eq!(op.args[..9], [2, 0, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!((op.payload_len, &payload[..]), (5, &b"abcde"[..]));
    }

    #[test]
    fn values_are_read() {
        let mut bytes = 1u32.to_vec();
        "k".encode(&mut bytes);
        "".encode(&mut bytes);
        let values = read_values(&bytes.into()).unwrap();
        assert_eq!(values, BTreeMap::from([("k".into(), Bytes::new())]));
        assert!(read_values(&Bytes::from_static(&[0xff; 40])).is_err());
    }

    #[test]
    fn names_need_be_no_text() {
        let mut bytes = 1u32.to_vec();
        put_blob(&mut bytes, b"\x80k");
        put_blob(&mut bytes, b"v");
        let values = read_values(&bytes.into()).unwrap();
        assert_eq!(values.get(&b"\x80k"[..]), Some(&Bytes::from("v")));
    }
}
