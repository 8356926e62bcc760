//! Asking how full the cluster is.

use super::{Fsid, TypedMessage, paxos};
use axon_denc::{DecodeError, Decoder, Encode, Features};

/// Asks a monitor for the cluster's usage, or that of one pool.
///
/// ```text
/// paxos header | fsid[16] | u8 whether a pool follows (version 2) | le64 pool
/// ```
///
/// Ceph: `src/messages/MStatfs.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MStatFs {
    /// The cluster asked.
    pub fsid: Fsid,
    /// The pool whose usage counts; `None` for the whole cluster.
    pub pool: Option<u64>,
}

const VERSION_POOL: u16 = 2;

impl TypedMessage for MStatFs {
    const KIND: u16 = 13;
    const NAME: &'static str = "statfs";
    const HEAD_VERSION: u16 = VERSION_POOL;
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(0, out);
        out.extend_from_slice(&self.fsid);
        self.pool.is_some().encode(out);
        if let Some(pool) = self.pool {
            pool.encode(out);
        }
    }

    fn read_front(version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        paxos::read(front)?;
        let fsid = front.array()?;
        let has_pool = version >= VERSION_POOL && front.bool()?;
        Ok(Self { fsid, pool: if has_pool { Some(front.u64()?) } else { None } })
    }
}
