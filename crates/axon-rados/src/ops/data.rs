//! Reading and writing an object's data.

use super::compound::length_of;
use super::{Pick, ReadOp, WriteOp};
use crate::osd::{Extent, OpCode, OpFlags, OsdOp};
use axon_denc::{Decode, DecodeError, Decoder, Encode, UTime};
use bytes::Bytes;

/// What an object is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its bytes.
    pub size: u64,
    /// When it was last written, as the writer said.
    pub mtime: UTime,
}

/// The parts of an extent that were written: where, and what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extents(pub Vec<(u64, Bytes)>);

/// How an object is going to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AllocHint {
    /// How large it will become.
    pub object_size: u64,
    /// How large its writes will be.
    pub write_size: u64,
    /// `CEPH_OSD_ALLOC_HINT_FLAG_*` in Ceph's `src/include/rados.h`.
    pub flags: u32,
}

/// Bytes of an extent's offset and length in a sparse read's answer.
const EXTENT_SIZE: usize = 16;

impl ReadOp {
    /// Reads up to `length` bytes at `offset`; 0 means to the end. Fewer come if the object ends before.
    pub fn read(&mut self, offset: u64, length: u64) -> Pick<Bytes> {
        self.0.ask(OsdOp::read(offset, length), Bytes::new(), |data| Ok(data.clone()))
    }

    /// Reads what was written between `offset` and `offset + length`; what was never written reads as zeroes and is
    /// left out where the store knows.
    pub fn sparse_read(&mut self, offset: u64, length: u64) -> Pick<Extents> {
        let extent = Extent { offset, length, ..Extent::default() };
        self.0.ask(OsdOp::on_extent(OpCode::SPARSE_READ, extent, 0), Bytes::new(), read_extents)
    }

    /// Asks for size and time. Fails with ENOENT if there is no object.
    pub fn stat(&mut self) -> Pick<Stat> {
        self.0.ask(OsdOp::stat(), Bytes::new(), |data| {
            let mut input = Decoder::new(data);
            Ok(Stat { size: input.u64()?, mtime: UTime::decode(&mut input)? })
        })
    }
}

impl WriteOp {
    /// Creates the object; fails with EEXIST if `exclusive` and it exists.
    pub fn create(&mut self, exclusive: bool) -> &mut Self {
        let flags = if exclusive { OpFlags::EXCL } else { OpFlags::default() };
        self.0.push(OsdOp::on_extent(OpCode::CREATE, Extent::default(), 0).flagged(flags), Bytes::new());
        self
    }

    /// Writes `data` at `offset`.
    pub fn write(&mut self, offset: u64, data: impl Into<Bytes>) -> &mut Self {
        self.with_data(OpCode::WRITE, offset, data.into())
    }

    /// Makes `data` the whole of the object's data; attributes and omap stay.
    pub fn write_full(&mut self, data: impl Into<Bytes>) -> &mut Self {
        self.with_data(OpCode::WRITEFULL, 0, data.into())
    }

    /// Writes `data` at the end.
    pub fn append(&mut self, data: impl Into<Bytes>) -> &mut Self {
        self.with_data(OpCode::APPEND, 0, data.into())
    }

    /// Fills `length` bytes at `offset` with copies of `data`, whose length must divide `length`.
    pub fn write_same(&mut self, offset: u64, length: u64, data: impl Into<Bytes>) -> &mut Self {
        let data = data.into();
        let op = OsdOp::with_args(OpCode::WRITE_SAME, length_of(&data), |args| {
            offset.encode(args);
            length.encode(args);
            (data.len() as u64).encode(args);
        });
        self.0.push(op, data);
        self
    }

    /// Cuts or grows the object to `size` bytes.
    pub fn truncate(&mut self, size: u64) -> &mut Self {
        self.without_data(OpCode::TRUNCATE, size, 0)
    }

    /// Zeroes `length` bytes at `offset`. The object does not grow; OSDs cut it at `offset` if the zeroes would reach its
    /// end. Nothing is added if `length` is 0, whether there is an object or not: OSDs abort when they are asked for that
    /// (Ceph: `PrimaryLogPG::do_osd_ops` in `src/osd/PrimaryLogPG.cc`).
    pub fn zero(&mut self, offset: u64, length: u64) -> &mut Self {
        if length == 0 {
            self.0.skip();
            return self;
        }
        self.without_data(OpCode::ZERO, offset, length)
    }

    /// Removes the object. Fails with ENOENT if there is none.
    pub fn remove(&mut self) -> &mut Self {
        self.without_data(OpCode::DELETE, 0, 0)
    }

    /// Says how the object will be used; never fails.
    pub fn set_alloc_hint(&mut self, hint: AllocHint) -> &mut Self {
        let op = OsdOp::with_args(OpCode::SET_ALLOC_HINT, 0, |args| {
            hint.object_size.encode(args);
            hint.write_size.encode(args);
            hint.flags.encode(args);
        });
        self.0.push(op.flagged(OpFlags::FAILOK), Bytes::new());
        self
    }

    fn with_data(&mut self, code: OpCode, offset: u64, data: Bytes) -> &mut Self {
        let extent = Extent { offset, length: data.len() as u64, ..Extent::default() };
        self.0.push(OsdOp::on_extent(code, extent, length_of(&data)), data);
        self
    }

    fn without_data(&mut self, code: OpCode, offset: u64, length: u64) -> &mut Self {
        let extent = Extent { offset, length, ..Extent::default() };
        self.0.push(OsdOp::on_extent(code, extent, 0), Bytes::new());
        self
    }
}

impl Extents {
    /// What a plain read of `length` bytes at `offset` would give, as far as the last extent goes: the parts of extents
    /// that are in there, and zeroes between them. At most 4 GiB, which no object of BlueStore exceeds (Ceph:
    /// `OBJECT_MAX_SIZE` in `src/os/bluestore/BlueStore.cc`).
    pub fn fill(&self, offset: u64, length: u64) -> Vec<u8> {
        let end = offset.saturating_add(length.min(u32::MAX.into()));
        let mut out = Vec::new();
        for (at, data) in &self.0 {
            let from = offset.max(*at);
            let to = end.min(at.saturating_add(data.len() as u64));
            if from < to {
                let place = (from - offset) as usize..(to - offset) as usize;
                out.resize(place.end.max(out.len()), 0);
                out[place].copy_from_slice(&data[(from - at) as usize..(to - at) as usize]);
            }
        }
        out
    }
}

/// A map of le64 offset to le64 length, and a blob of the bytes one after the other. Extents are in order and do not overlap.
fn read_extents(data: &Bytes) -> Result<Extents, DecodeError> {
    let mut input = Decoder::new(data);
    let n = input.count(EXTENT_SIZE)?;
    let places = (0..n).map(|_| Ok((input.u64()?, input.u64()?))).collect::<Result<Vec<_>, DecodeError>>()?;
    let blob = input.blob()?;
    let mut rest = data.slice_ref(blob);
    let mut extents = Vec::with_capacity(n);
    let mut end = 0;
    for (offset, length) in places {
        end = match offset.checked_add(length) {
            Some(next) if offset >= end => next,
            _ => return Err(DecodeError::Undefined { what: "offset of an extent", value: offset }),
        };
        let needed = usize::try_from(length).unwrap_or(usize::MAX);
        if needed > rest.len() {
            return Err(DecodeError::Truncated { needed, left: rest.len() });
        }
        extents.push((offset, rest.split_to(needed)));
    }
    Ok(Extents(extents))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Compound;

    fn sparse(places: &[(u64, u64)], blob: &[u8]) -> Bytes {
        let mut out = (places.len() as u32).to_vec();
        for (offset, length) in places {
            offset.encode(&mut out);
            length.encode(&mut out);
        }
        blob.encode(&mut out);
        out.into()
    }

    #[test]
    fn arguments_of_a_hint() {
        let mut op = WriteOp::new();
        op.set_alloc_hint(AllocHint { object_size: 5, write_size: 6, flags: 7 });
        let (ops, _) = Compound::from(op).into_parts();
        assert_eq!((ops[0].code, ops[0].flags), (OpCode::SET_ALLOC_HINT, OpFlags::FAILOK.0));
        let words = [5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0];
        assert_eq!(ops[0].args[..21], words);
    }

    #[test]
    fn osds_are_not_asked_to_zero_nothing() {
        let mut op = WriteOp::new();
        op.zero(0, 0).zero(5, 0);
        assert!(op.is_empty());
        assert_eq!(op.zero(5, 1).len(), 1);
        // Flags for what was left out are for nothing else.
        op.zero(0, 0).flag_last(OpFlags::FAILOK);
        op.truncate(9).flag_last(OpFlags::FAILOK);
        let (ops, _) = op.0.into_parts();
        assert_eq!(ops.iter().map(|op| op.flags).collect::<Vec<_>>(), [0, OpFlags::FAILOK.0]);
    }

    #[test]
    fn extents_share_the_buffer() {
        let data = sparse(&[(10, 2), (100, 3)], b"aabbb");
        let extents = read_extents(&data).unwrap();
        assert_eq!(extents.0, [(10, Bytes::from("aa")), (100, Bytes::from("bbb"))]);
        assert_eq!(extents.fill(8, 200).len(), 95);
        assert_eq!(extents.fill(8, 200)[..4], [0, 0, b'a', b'a']);
    }

    #[test]
    fn what_is_filled_is_cut_to_what_is_wanted() {
        let eight = Extents(vec![(0, Bytes::from("01234567"))]);
        for (offset, length, expected) in [
            (0, 4, "0123"),
            (0, 8, "01234567"),
            (0, 99, "01234567"),
            (6, 99, "67"),
            (8, 4, ""),
            (2, 3, "234"),
        ] {
            assert_eq!(eight.fill(offset, length), expected.as_bytes(), "{offset} {length}");
        }
        assert_eq!(eight.fill(u64::MAX, u64::MAX), b"");
        let odd = |at| Extents(vec![(100, Bytes::from("x")), (at, Bytes::from("abc"))]);
        for at in [u64::MAX, u64::MAX - 2, 1 << 60] {
            assert_eq!(odd(at).fill(0, u64::MAX).len(), 101, "{at}");
        }
        assert_eq!(odd(98).fill(98, 9), b"abc", "one that goes back");
        assert_eq!(odd(1).fill(99, 9), b"\0x", "one before all");
    }

    #[test]
    fn extents_out_of_order_are_refused() {
        for places in [&[(4, 2), (0, 3)][..], &[(0, 3), (2, 2)], &[(u64::MAX - 1, 2)], &[(u64::MAX, 5)]] {
            assert!(read_extents(&sparse(places, b"aabbb")).is_err(), "{places:?}");
        }
        assert!(read_extents(&sparse(&[(0, 3), (3, 2)], b"aabbb")).is_ok());
    }

    #[test]
    fn extents_beyond_the_data_are_refused() {
        for places in [&[(0, 6)][..], &[(0, u64::MAX)], &[(0, 3), (3, 3)]] {
            assert!(read_extents(&sparse(places, b"aabbb")).is_err(), "{places:?}");
        }
        assert!(read_extents(&Bytes::from_static(&[0xff; 8])).is_err());
    }
}
