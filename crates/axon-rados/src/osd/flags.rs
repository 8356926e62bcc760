//! Flags of requests and of operations.

/// Flags of a request and its reply.
///
/// Ceph: `CEPH_OSD_FLAG_*` in `src/include/rados.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OsdFlags(pub u32);

impl OsdFlags {
    /// The reply says, or the request asks for, "in memory".
    pub const ACK: Self = Self(0x1);
    /// The same for "in persistent memory".
    pub const ONNVRAM: Self = Self(0x2);
    /// The same for "on disk".
    pub const ONDISK: Self = Self(0x4);
    /// The request was sent before.
    pub const RETRY: Self = Self(0x8);
    /// The request may read.
    pub const READ: Self = Self(0x10);
    /// The request may write.
    pub const WRITE: Self = Self(0x20);
    /// Fail with EOLDSNAPC when the writer's snapshots are older than the object's.
    pub const ORDERSNAP: Self = Self(0x40);
    /// The request may be answered by any replica.
    pub const BALANCE_READS: Self = Self(0x100);
    /// The request is on a placement group, not on an object.
    pub const PGOP: Self = Self(0x400);
    /// The request may be answered by a near replica.
    pub const LOCALIZE_READS: Self = Self(0x2000);
    /// Reads of this request keep their order among writes.
    pub const RWORDERED: Self = Self(0x4000);
    /// Cache tiers are passed by.
    pub const IGNORE_CACHE: Self = Self(0x8000);
    /// The pool's overlay is passed by.
    pub const IGNORE_OVERLAY: Self = Self(0x2_0000);
    /// The snapshots given count even in a pool that has its own.
    pub const ENFORCE_SNAPC: Self = Self(0x10_0000);
    /// The request was redirected.
    pub const REDIRECTED: Self = Self(0x20_0000);
    /// The client knows about redirections.
    pub const KNOWN_REDIR: Self = Self(0x40_0000);
    /// Tried although the cluster or the pool is full: it may fail with ENOSPC or EDQUOT.
    pub const FULL_TRY: Self = Self(0x80_0000);
    /// Done although the cluster or the pool is full.
    pub const FULL_FORCE: Self = Self(0x100_0000);
    /// Redirections are not followed.
    pub const IGNORE_REDIRECT: Self = Self(0x200_0000);
    /// A write returns what its operations return, up to a small limit.
    pub const RETURNVEC: Self = Self(0x400_0000);
    /// The client takes EIO for an answer from a pool that is broken.
    pub const SUPPORTS_POOL_EIO: Self = Self(0x800_0000);
    /// All three levels of acknowledgement, which a reply replaces by its own.
    pub const ANY_ACK: Self = Self(0x7);

    /// The flags of either.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The flags that `other` has not.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Flags of one operation.
///
/// Ceph: `CEPH_OSD_OP_FLAG_*` in `src/include/rados.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OpFlags(pub u32);

impl OpFlags {
    /// CREATE fails if the object exists.
    pub const EXCL: Self = Self(0x1);
    /// The rest of the request goes on when this operation fails.
    pub const FAILOK: Self = Self(0x2);
    /// The extent is one of many at random places.
    pub const FADVISE_RANDOM: Self = Self(0x4);
    /// The extent is one of many in order.
    pub const FADVISE_SEQUENTIAL: Self = Self(0x8);
    /// The data will be needed soon.
    pub const FADVISE_WILLNEED: Self = Self(0x10);
    /// The data will not be needed soon.
    pub const FADVISE_DONTNEED: Self = Self(0x20);
    /// The data will be needed once.
    pub const FADVISE_NOCACHE: Self = Self(0x40);

    /// The flags of either.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
