//! Asking what is in pools.

use super::{Fsid, TypedMessage, paxos, put_strings, read_strings};
use axon_denc::{DecodeError, Decoder, Features};

/// Asks a monitor for the statistics of pools.
///
/// ```text
/// paxos header | fsid[16] | le32 n | blob name[n]
/// ```
///
/// Ceph: `src/messages/MGetPoolStats.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MGetPoolStats {
    /// The cluster asked.
    pub fsid: Fsid,
    /// The pools' names; those that do not exist are left out of the answer.
    pub pools: Vec<String>,
}

impl TypedMessage for MGetPoolStats {
    const KIND: u16 = 58;
    const NAME: &'static str = "getpoolstats";
    const COMPAT_VERSION: u16 = 1;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        paxos::put(0, out);
        out.extend_from_slice(&self.fsid);
        put_strings(out, &self.pools);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        paxos::read(front)?;
        Ok(Self { fsid: front.array()?, pools: read_strings(front, "pool name")? })
    }
}
