//! Changes of pools that have a message of their own instead of a command.

use crate::msg::PoolOpCode;
use bytes::Bytes;
use std::fmt;

/// A change of a pool.
///
/// A pool has either snapshots of its own or self-managed ones, never both: which, its first snapshot decides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolOp {
    /// Takes a snapshot of the whole pool.
    CreateSnap {
        /// The pool's number.
        pool: u32,
        /// The snapshot's name.
        name: String,
    },
    /// Removes a snapshot of the whole pool.
    DeleteSnap {
        /// The pool's number.
        pool: u32,
        /// The snapshot's name.
        name: String,
    },
    /// Takes a number for a self-managed snapshot: the answer's data.
    CreateSelfManagedSnap {
        /// The pool's number.
        pool: u32,
    },
    /// Removes a self-managed snapshot.
    DeleteSelfManagedSnap {
        /// The pool's number.
        pool: u32,
        /// The snapshot's.
        snap: u64,
    },
}

/// What became of a change of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolOpOutput {
    /// The epoch of the OSD map that has the change.
    pub epoch: u32,
    /// A new self-managed snapshot's number, le64.
    pub data: Bytes,
}

impl PoolOp {
    /// The pool's number.
    pub fn pool(&self) -> u32 {
        match self {
            Self::CreateSnap { pool, .. } | Self::DeleteSnap { pool, .. } => *pool,
            Self::CreateSelfManagedSnap { pool } | Self::DeleteSelfManagedSnap { pool, .. } => *pool,
        }
    }

    /// The operation, the snapshot's number and its name.
    pub(super) fn parts(&self) -> (PoolOpCode, u64, &str) {
        match self {
            Self::CreateSnap { name, .. } => (PoolOpCode::CREATE_SNAP, 0, name),
            Self::DeleteSnap { name, .. } => (PoolOpCode::DELETE_SNAP, 0, name),
            Self::CreateSelfManagedSnap { .. } => (PoolOpCode::CREATE_UNMANAGED_SNAP, 0, ""),
            Self::DeleteSelfManagedSnap { snap, .. } => (PoolOpCode::DELETE_UNMANAGED_SNAP, *snap, ""),
        }
    }
}

impl fmt::Display for PoolOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateSnap { pool, name } => write!(f, "the snapshot '{name}' of pool {pool}"),
            Self::DeleteSnap { pool, name } => write!(f, "the removal of snapshot '{name}' of pool {pool}"),
            Self::CreateSelfManagedSnap { pool } => write!(f, "a self-managed snapshot of pool {pool}"),
            Self::DeleteSelfManagedSnap { pool, snap } => {
                write!(f, "the removal of self-managed snapshot {snap} of pool {pool}")
            }
        }
    }
}
