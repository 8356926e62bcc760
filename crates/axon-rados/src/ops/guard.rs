//! What must hold for the rest of a request to be done. If it does not, nothing is done, and the request fails with
//! ECANCELED, ERANGE or EOVERFLOW.

use super::compound::length_of;
use super::xattr::named;
use super::{ObjectOp, Pick, WriteOp};
use crate::osd::{Extent, OpCode, OsdOp};
use axon_denc::{Encode, put_blob};
use bytes::Bytes;

/// How two values are compared: "the operand given is .. what is stored".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
}

impl Compare {
    /// As numbered on the wire (`CEPH_OSD_CMPXATTR_OP_*`).
    const fn to_wire(self) -> u8 {
        match self {
            Self::Equal => 1,
            Self::NotEqual => 2,
            Self::Greater => 3,
            Self::GreaterOrEqual => 4,
            Self::Less => 5,
            Self::LessOrEqual => 6,
        }
    }
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// Bytes, compared as bytes.
    Bytes(Bytes),
    /// A number; the attribute holds one in decimal digits, or is empty for 0.
    Number(u64),
}

impl Operand {
    /// The mode on the wire (`CEPH_OSD_CMPXATTR_MODE_*`), and the payload.
    fn into_parts(self) -> (u8, Bytes) {
        match self {
            Self::Bytes(bytes) => (1, bytes),
            Self::Number(number) => (2, number.to_vec().into()),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Operand {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl<K> ObjectOp<K> {
    /// Goes on only if the attribute `name` compares with `operand`; ECANCELED otherwise. A missing attribute
    /// is an empty one.
    pub fn compare_xattr(
        &mut self,
        name: impl AsRef<[u8]>,
        compare: Compare,
        operand: impl Into<Operand>,
    ) -> &mut Self {
        let (op, payload) = cmp_xattr(name.as_ref(), compare, operand.into());
        self.0.push(op, payload);
        self
    }

    /// Goes on only if the object's version ([`Answer::version`](super::Answer::version)) is `version`:
    /// ERANGE if the object is newer, EOVERFLOW if it is older.
    pub fn assert_version(&mut self, version: u64) -> &mut Self {
        self.0.push(assert_version(version), Bytes::new());
        self
    }

    /// Goes on only if the object exists; ENOENT otherwise.
    pub fn assert_exists(&mut self) -> &mut Self {
        self.0.push(OsdOp::stat(), Bytes::new());
        self
    }

    /// Goes on only if the object has `data` at `offset`; otherwise the request fails with
    /// [`Errno::mismatch_at`](crate::client::Errno::mismatch_at).
    pub fn compare_extent(&mut self, offset: u64, data: impl Into<Bytes>) -> &mut Self {
        let (op, data) = compare_extent(offset, data.into());
        self.0.push(op, data);
        self
    }

    /// Goes on only if the omap's value `key` compares with `value`; ECANCELED otherwise.
    pub fn compare_omap(
        &mut self,
        key: impl AsRef<[u8]>,
        compare: Compare,
        value: impl Into<Bytes>,
    ) -> &mut Self {
        let payload = omap_assertion(key.as_ref(), compare, &value.into());
        let op = OsdOp::on_extent(OpCode::OMAP_CMP, Extent::default(), length_of(&payload));
        self.0.push(op, payload);
        self
    }
}

impl WriteOp {
    /// Writes `new` at `offset` if the object has `old` there; the usual compare-and-write.
    pub fn compare_and_write(
        &mut self,
        offset: u64,
        old: impl Into<Bytes>,
        new: impl Into<Bytes>,
    ) -> &mut Self {
        self.compare_extent(offset, old).write(offset, new)
    }

    /// Adds a stat, which a write may return.
    pub fn stat(&mut self) -> Pick<()> {
        self.0.ask(OsdOp::stat(), Bytes::new(), |_| Ok(()))
    }
}

fn cmp_xattr(name: &[u8], compare: Compare, operand: Operand) -> (OsdOp, Bytes) {
    let (mode, value) = operand.into_parts();
    named(OpCode::CMPXATTR, name, value, |args| args.extend([compare.to_wire(), mode]))
}

fn assert_version(version: u64) -> OsdOp {
    OsdOp::with_args(OpCode::ASSERT_VER, 0, |args| {
        0u64.encode(args); // unused
        version.encode(args);
    })
}

fn compare_extent(offset: u64, data: Bytes) -> (OsdOp, Bytes) {
    let extent = Extent { offset, length: data.len() as u64, ..Extent::default() };
    (OsdOp::on_extent(OpCode::CMPEXT, extent, length_of(&data)), data)
}

/// A map with one item: key, value and le32 comparison.
fn omap_assertion(key: &[u8], compare: Compare, value: &[u8]) -> Bytes {
    let mut out = 1u32.to_vec();
    put_blob(&mut out, key);
    put_blob(&mut out, value);
    u32::from(compare.to_wire()).encode(&mut out);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_follow_the_lengths() {
        let (op, payload) = cmp_xattr(b"n", Compare::Greater, Operand::Number(5));
        assert_eq!(op.args[..11], [1, 0, 0, 0, 8, 0, 0, 0, 3, 2, 0]);
        assert_eq!(payload[..], [b'n', 5, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn versions_stand_second() {
        assert_eq!(assert_version(7).args[8..16], 7u64.to_le_bytes());
    }
}
