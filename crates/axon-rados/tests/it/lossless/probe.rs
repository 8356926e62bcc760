//! How monitors look for each other.

use axon_denc::{DecodeError, Decoder, Encode, Features, put_blob, put_list};
use axon_rados::msg::{Fsid, TypedMessage};

/// Asks a monitor what it knows, or says it.
///
/// ```text
/// fsid | le32 op | blob name | le32 n, le32 rank[n] | blob monitor map | u8 has ever joined
/// le64 oldest | le64 newest | le64 required features | u8 release | le32 leader (version 8)
/// ```
///
/// Ceph: `src/messages/MMonProbe.h`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct MMonProbe {
    pub(super) fsid: Fsid,
    pub(super) op: u32,
    /// The sender's name. In a question it has no consequences, so that questions can be told apart by it.
    pub(super) name: String,
    pub(super) quorum: Vec<u32>,
    pub(super) monmap: Vec<u8>,
    pub(super) has_ever_joined: bool,
    /// The versions that the sender's store holds.
    pub(super) versions: [u64; 2],
    pub(super) required: u64,
    pub(super) release: u8,
    pub(super) leader: u32,
}

impl MMonProbe {
    /// The op of a question.
    pub(super) const PROBE: u32 = 1;
    /// The op of the answer to it.
    pub(super) const REPLY: u32 = 2;
    /// The release 16.2.
    pub(super) const PACIFIC: u8 = 16;
    /// No leader.
    pub(super) const NOBODY: u32 = u32::MAX;
}

impl TypedMessage for MMonProbe {
    const KIND: u16 = 67;
    const NAME: &'static str = "mon_probe";
    const HEAD_VERSION: u16 = 8;
    const COMPAT_VERSION: u16 = 5;
    const OLDEST_VERSION: u16 = 8;

    fn put_front(&self, _features: Features, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.fsid);
        self.op.encode(out);
        self.name.encode(out);
        put_list(out, &self.quorum);
        put_blob(out, &self.monmap);
        self.has_ever_joined.encode(out);
        self.versions[0].encode(out);
        self.versions[1].encode(out);
        self.required.encode(out);
        self.release.encode(out);
        self.leader.encode(out);
    }

    fn read_front(_version: u16, front: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            fsid: front.array()?,
            op: front.u32()?,
            name: front.string("monitor")?,
            quorum: front.list(4)?,
            monmap: front.blob()?.to_vec(),
            has_ever_joined: front.bool()?,
            versions: [front.u64()?, front.u64()?],
            required: front.u64()?,
            release: front.u8()?,
            leader: front.u32()?,
        })
    }
}
