//! One operation on an object.

use super::{OpCode, OpFlags};
use axon_denc::{Decode, DecodeError, Decoder, Encode};

/// The arguments of operations on a range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
    /// CephFS: the size the object is cut to before the operation.
    pub truncate_size: u64,
    /// CephFS: counts the cuts; 0 means none.
    pub truncate_seq: u32,
}

/// An operation: 38 bytes in the front, and `payload_len` bytes in the data segment, behind those of the operations
/// before it (`struct ceph_osd_op`).
///
/// ```text
/// le16 op | le32 flags | arguments[28], a union | le32 payload length
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OsdOp {
    /// What to do.
    pub code: OpCode,
    /// Flags of this operation.
    pub flags: u32,
    /// The arguments, laid out as `code` says.
    pub args: [u8; OsdOp::ARGS],
    /// Its bytes in the data segment.
    pub payload_len: u32,
}

impl OsdOp {
    /// Bytes of an operation on the wire.
    pub const SIZE: usize = 38;
    /// Bytes of the arguments.
    pub const ARGS: usize = 28;

    /// An operation on a range of bytes.
    pub fn on_extent(code: OpCode, extent: Extent, payload_len: u32) -> Self {
        let mut args = [0; Self::ARGS];
        args[..8].copy_from_slice(&extent.offset.to_le_bytes());
        args[8..16].copy_from_slice(&extent.length.to_le_bytes());
        args[16..24].copy_from_slice(&extent.truncate_size.to_le_bytes());
        args[24..].copy_from_slice(&extent.truncate_seq.to_le_bytes());
        Self { code, flags: 0, args, payload_len }
    }

    /// Writes `length` bytes, which follow in the data segment, at `offset`.
    pub fn write(offset: u64, length: u32) -> Self {
        let extent = Extent { offset, length: length.into(), ..Extent::default() };
        Self::on_extent(OpCode::WRITE, extent, length)
    }

    /// Reads `length` bytes at `offset`.
    pub fn read(offset: u64, length: u64) -> Self {
        let extent = Extent { offset, length, ..Extent::default() };
        Self::on_extent(OpCode::READ, extent, 0)
    }

    /// Asks for size and time.
    pub fn stat() -> Self {
        Self::on_extent(OpCode::STAT, Extent::default(), 0)
    }

    /// An operation whose arguments are written by `put`; what it does not write is zero.
    ///
    /// # Panics
    /// If `put` writes more than [`OsdOp::ARGS`] bytes.
    pub fn with_args(code: OpCode, payload_len: u32, put: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut written = Vec::with_capacity(Self::ARGS);
        put(&mut written);
        let mut args = [0; Self::ARGS];
        args[..written.len()].copy_from_slice(&written);
        Self { code, flags: 0, args, payload_len }
    }

    /// This operation with these flags, too.
    pub const fn flagged(mut self, flags: OpFlags) -> Self {
        self.flags |= flags.0;
        self
    }

    /// The arguments, read as those of an operation on a range of bytes.
    pub fn extent(&self) -> Extent {
        let mut args = Decoder::new(&self.args);
        let mut read = || -> Result<Extent, DecodeError> {
            Ok(Extent {
                offset: args.u64()?,
                length: args.u64()?,
                truncate_size: args.u64()?,
                truncate_seq: args.u32()?,
            })
        };
        read().expect("28 bytes hold an extent")
    }

    /// This operation with another number of bytes in the data segment.
    pub const fn with_payload(mut self, payload_len: u32) -> Self {
        self.payload_len = payload_len;
        self
    }
}

impl Encode for OsdOp {
    fn encode(&self, out: &mut Vec<u8>) {
        self.code.0.encode(out);
        self.flags.encode(out);
        out.extend_from_slice(&self.args);
        self.payload_len.encode(out);
    }
}

impl Decode for OsdOp {
    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            code: OpCode(input.u16()?),
            flags: input.u32()?,
            args: input.array()?,
            payload_len: input.u32()?,
        })
    }
}
