//! Operations that are done together.

use super::Pick;
use crate::osd::{OpFlags, OsdFlags, OsdOp};
use axon_denc::DecodeError;
use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use std::marker::PhantomData;

/// Operations on one object that change nothing, done at one moment.
pub type ReadOp = ObjectOp<Reading>;

/// Operations on one object that may change it, done together or not at all.
pub type WriteOp = ObjectOp<Writing>;

/// Operations on one object, done together: a [`ReadOp`] or a [`WriteOp`].
#[derive(Debug, Clone)]
pub struct ObjectOp<K>(pub(super) Compound, PhantomData<K>);

/// Marks requests that change nothing.
#[derive(Debug, Clone, Copy)]
pub enum Reading {}

/// Marks requests that may change the object.
#[derive(Debug, Clone, Copy)]
pub enum Writing {}

/// What the two kinds of requests say of themselves.
pub(crate) trait Kind {
    /// The flags of every such request.
    const FLAGS: OsdFlags;
}

impl Kind for Reading {
    const FLAGS: OsdFlags = OsdFlags::READ;
}

impl Kind for Writing {
    const FLAGS: OsdFlags = OsdFlags::WRITE.with(OsdFlags::ONDISK).with(OsdFlags::RETURNVEC);
}

/// Operations: most requests have one.
pub(crate) type OpVec = SmallVec<[OsdOp; 1]>;

/// Operations in order, with what they carry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compound {
    ops: OpVec,
    payloads: SmallVec<[Bytes; 1]>,
    flags: OsdFlags,
    /// The operation added last had nothing to do, and is not among them.
    skipped: bool,
}

impl<K> ObjectOp<K> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self(Compound::default(), PhantomData)
    }

    /// Flags for the operation added last; none if that had nothing to do and was left out.
    pub fn flag_last(&mut self, flags: OpFlags) -> &mut Self {
        self.0.flag_last(flags);
        self
    }

    /// Flags for the whole request.
    pub fn with_flags(&mut self, flags: OsdFlags) -> &mut Self {
        self.0.flags = self.0.flags.with(flags);
        self
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.0.ops.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.ops.is_empty()
    }
}

impl<K> Default for ObjectOp<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl Compound {
    /// Adds an operation whose payload is `payload`; returns its place.
    pub(super) fn push(&mut self, op: OsdOp, payload: Bytes) -> usize {
        debug_assert_eq!(op.payload_len as usize, payload.len());
        self.ops.push(op);
        self.payloads.push(payload);
        self.skipped = false;
        self.ops.len() - 1
    }

    /// Adds an operation that returns something.
    pub(super) fn ask<T>(
        &mut self,
        op: OsdOp,
        payload: Bytes,
        read: fn(&Bytes) -> Result<T, DecodeError>,
    ) -> Pick<T> {
        Pick::new(self.push(op, payload), read)
    }

    /// Leaves out an operation that has nothing to do.
    pub(super) fn skip(&mut self) {
        self.skipped = true;
    }

    pub(super) fn flag_last(&mut self, flags: OpFlags) {
        if let Some(op) = self.ops.last_mut().filter(|_| !self.skipped) {
            *op = op.flagged(flags);
        }
    }

    /// Flags for the request, among them whether it reads or writes.
    pub(crate) fn flags(&self) -> OsdFlags {
        self.flags
    }

    /// Whether the request may change something.
    pub(crate) fn is_write(&self) -> bool {
        self.flags.contains(OsdFlags::WRITE)
    }

    /// The number of operations.
    pub(crate) fn len(&self) -> usize {
        self.ops.len()
    }

    /// Bytes the operations carry.
    pub(crate) fn carried(&self) -> usize {
        self.payloads.iter().map(Bytes::len).sum()
    }

    /// The operations, and their payloads as one buffer.
    pub(crate) fn into_parts(self) -> (OpVec, Bytes) {
        (self.ops, join(self.payloads))
    }
}

/// One buffer of all; a single one is not copied.
fn join(mut payloads: SmallVec<[Bytes; 1]>) -> Bytes {
    if payloads.len() <= 1 {
        return payloads.pop().unwrap_or_default();
    }
    let mut filled = payloads.iter().filter(|payload| !payload.is_empty());
    match (filled.next(), filled.next()) {
        (None, _) => Bytes::new(),
        (Some(only), None) => only.clone(),
        _ => {
            let mut joined = BytesMut::with_capacity(payloads.iter().map(Bytes::len).sum());
            payloads.iter().for_each(|payload| joined.extend_from_slice(payload));
            joined.freeze()
        }
    }
}

impl<K: Kind> From<ObjectOp<K>> for Compound {
    fn from(op: ObjectOp<K>) -> Self {
        let flags = op.0.flags.with(K::FLAGS);
        Self { flags, ..op.0 }
    }
}

/// The length of a payload on the wire.
///
/// # Panics
/// If it is 4 GiB or longer, which no request may be.
pub(super) fn length_of(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).expect("an operation carries less than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_buffer_is_not_copied() {
        let data = Bytes::from(vec![1; 100]);
        let mut op = WriteOp::new();
        op.create(false);
        op.write_full(data.clone());
        let (ops, joined) = Compound::from(op).into_parts();
        assert_eq!(ops.len(), 2);
        assert_eq!(joined.as_ptr(), data.as_ptr());
    }

    #[test]
    fn several_are_joined_in_order() {
        let mut op = WriteOp::new();
        op.write(0, "ab");
        op.truncate(9);
        op.append("cd");
        let compound = Compound::from(op);
        assert_eq!(compound.carried(), 4);
        let (ops, joined) = compound.into_parts();
        assert_eq!(joined, "abcd");
        assert_eq!(ops.iter().map(|op| op.payload_len).collect::<Vec<_>>(), [2, 0, 2]);
    }

    #[test]
    fn flags_say_read_or_write() {
        let mut read = ReadOp::new();
        read.read(3, 100);
        let read = Compound::from(read);
        assert_eq!(read.flags(), OsdFlags::READ);
        let write = Compound::from(WriteOp::new());
        assert!(write.flags().contains(OsdFlags::WRITE.with(OsdFlags::ONDISK)));
    }
}
