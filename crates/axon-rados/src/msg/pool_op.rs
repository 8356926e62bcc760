//! Changes of a pool that are no commands: snapshots of its objects.

use super::{Fsid, TypedMessage, paxos};
use axon_denc::{DecodeError, Decoder, Encode, Features, put_blob};

/// A client asks its monitor to change a pool.
///
/// ```text
/// paxos header | fsid[16] | le32 pool | le32 op | le64 0 | le64 snapid | blob name | u8 0 | le16 CRUSH rule
/// ```
///
/// Ceph: `src/messages/MPoolOp.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MPoolOp {
    /// The cluster asked.
    pub fsid: Fsid,
    /// The pool.
    pub pool: u32,
    /// What to do.
    pub op: PoolOpCode,
    /// The snapshot to remove; 0 otherwise.
    pub snap: u64,
    /// The name of a snapshot of the pool; empty otherwise.
    pub name: String,
    /// The CRUSH rule of a new pool; 0 otherwise.
    pub crush_rule: i16,
}

/// What a pool operation does, as numbered on the wire (`POOL_OP_*` in Ceph's `src/include/ceph_fs.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOpCode(pub u32);

impl PoolOpCode {
    /// Makes a snapshot of the whole pool.
    pub const CREATE_SNAP: Self = Self(0x11);
    /// Removes it.
    pub const DELETE_SNAP: Self = Self(0x12);
    /// Reserves a snapshot id that the application manages by itself.
    pub const CREATE_UNMANAGED_SNAP: Self = Self(0x21);
    /// Gives it back, and with it what objects keep for it.
    pub const DELETE_UNMANAGED_SNAP: Self = Self(0x22);
}

const NO_AUID: u64 = 0;
const PAD: u8 = 0;
const VERSION_RULE: u16 = 4;

impl TypedMessage for MPoolOp {
    const KIND: u16 = 49;
    const NAME: &'static str = "poolop";
    const HEAD_VERSION: u16 = VERSION_RULE;
    const COMPAT_VERSION: u16 = 2;
    const OLDEST_VERSION: u16 = VERSION_RULE;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(0, out);
        out.extend_from_slice(&self.fsid);
        self.pool.encode(out);
        self.op.0.encode(out);
        NO_AUID.encode(out);
        self.snap.encode(out);
        put_blob(out, self.name.as_bytes());
        out.push(PAD);
        self.crush_rule.cast_unsigned().encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        paxos::read(front)?;
        let fsid = front.array()?;
        let pool = front.u32()?;
        let op = PoolOpCode(front.u32()?);
        front.u64()?;
        let snap = front.u64()?;
        let name = front.string("snapshot name")?;
        front.u8()?;
        let crush_rule = front.u16()?.cast_signed();
        Ok(Self { fsid, pool, op, snap, name, crush_rule })
    }

    fn front_size(&self) -> usize {
        64 + self.name.len()
    }
}
