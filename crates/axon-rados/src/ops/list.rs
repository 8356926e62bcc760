//! The objects of a placement group.

use super::{Pick, ReadOp};
use crate::Name;
use crate::osd::{HObject, OpCode, OsdFlags, OsdOp};
use axon_denc::{Decode, DecodeError, Decoder, Encode};
use bytes::Bytes;

/// An object, as listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// What it is placed by instead of its name; empty for the name.
    pub key: Name,
}

/// Some objects, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The objects.
    pub objects: Vec<Listed>,
    /// The place behind the last one.
    pub next: HObject,
}

const VERSION: u8 = 1;
/// Three empty texts.
const MIN_LISTED: usize = 12;

/// Lists up to `max` objects from `from` on. Ends with the placement group at the latest; `next` is then the beginning
/// of the next group, or the end.
pub(crate) fn list_op(from: &HObject, max: u64, epoch: u32) -> (ReadOp, Pick<ListPage>) {
    let cursor = from.to_vec();
    let op = OsdOp::with_args(OpCode::PGNLS, super::compound::length_of(&cursor), |args| {
        max.encode(args);
        epoch.encode(args);
    });
    let mut request = ReadOp::new();
    request.with_flags(OsdFlags::PGOP);
    let pick = request.0.ask(op, cursor.into(), |data: &Bytes| ListPage::from_bytes(data));
    (request, pick)
}

/// Ceph: `pg_nls_response_t` in `src/osd/osd_types.h`.
impl Decode for ListPage {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (_, mut body) = input.versioned("list of objects", VERSION)?;
        Ok(Self { next: HObject::decode(&mut body)?, objects: body.list(MIN_LISTED)? })
    }
}

impl Decode for Listed {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut name = || input.blob().map(Name::from);
        Ok(Self { namespace: name()?, name: name()?, key: name()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axon_denc::{put_blob, put_versioned};

    #[test]
    fn pages() {
        let mut bytes = Vec::new();
        put_versioned(&mut bytes, 1, 1, |out| {
            HObject::start_of(1, 4).encode(out);
            1u32.encode(out);
            [&b"ns"[..], b"\xffname", b""].iter().for_each(|name| put_blob(out, name));
        });
        let page = ListPage::from_bytes(&bytes).unwrap();
        assert_eq!(page.next, HObject::start_of(1, 4));
        let Listed { namespace, name, key } = &page.objects[0];
        assert_eq!((&namespace[..], &name[..], &key[..]), (&b"ns"[..], &b"\xffname"[..], &b""[..]));
        assert!((0..bytes.len()).all(|cut| ListPage::from_bytes(&bytes[..cut]).is_err()));
    }
}
