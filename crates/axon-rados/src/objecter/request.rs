//! What is asked of an object, and how it may end.

use super::Waiting;
use crate::ops::{OpVec, Said};
use crate::osd::{NO_SNAP, ObjectLocator, OpCode, OsdFlags};
use axon_denc::UTime;
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The snapshots a write has to keep.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapContext {
    /// The newest snapshot.
    pub seq: u64,
    /// All of them, newest first.
    pub snaps: Vec<u64>,
}

/// What a write does while the cluster or the pool is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// It waits for room, until its deadline; and so does a read of the object behind it.
    #[default]
    Wait,
    /// It fails: unsent if the map says so, or as the OSD refuses it, with ENOSPC or EDQUOT.
    Fail,
    /// It is sent all the same; OSDs allow what makes room, and refuse the rest with ENOSPC or EDQUOT.
    Try,
}

/// A request to whichever OSD serves the object.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The object; empty for one on a placement group.
    pub(crate) object: Bytes,
    /// Its pool, namespace and key; for a request on a placement group the locator's hash says which.
    pub(crate) locator: Arc<ObjectLocator>,
    /// What to do.
    pub(crate) ops: OpVec,
    /// What the operations carry.
    pub(crate) data: Bytes,
    /// Flags.
    pub(crate) flags: OsdFlags,
    /// The snapshot to read.
    pub(crate) snapid: u64,
    /// The snapshots a write keeps.
    pub(crate) snapc: SnapContext,
    /// The time the object is written at.
    pub(crate) mtime: UTime,
    /// What to do when there is no room.
    pub(crate) when_full: WhenFull,
    /// How long it may take; for ever if not said.
    pub(crate) within: Option<Duration>,
}

impl Request {
    /// A request on the present state of `object`.
    pub(crate) fn new(
        object: Bytes,
        locator: impl Into<Arc<ObjectLocator>>,
        ops: impl Into<OpVec>,
        data: Bytes,
        flags: OsdFlags,
    ) -> Self {
        Self {
            object,
            locator: locator.into(),
            ops: ops.into(),
            data,
            flags,
            snapid: NO_SNAP,
            snapc: SnapContext::default(),
            mtime: UTime::default(),
            when_full: WhenFull::default(),
            within: None,
        }
    }

    /// Whether the request may change something.
    pub(crate) fn is_write(&self) -> bool {
        self.flags.contains(OsdFlags::WRITE)
    }

    /// Whether it is on the same object as another.
    pub(crate) fn has_object_of(&self, other: &Self) -> bool {
        self.object == other.object && self.locator == other.locator
    }

    /// Whether it begins, keeps or ends a watch.
    pub(crate) fn is_of_a_watch(&self) -> bool {
        self.ops.iter().any(|op| op.code == OpCode::WATCH)
    }

    /// Whether it tells watchers something, or answers for one, and nothing else.
    pub(crate) fn is_of_watchers(&self) -> bool {
        self.ops.iter().all(|op| matches!(op.code, OpCode::NOTIFY | OpCode::NOTIFY_ACK))
    }

    /// Whether the request is on a placement group.
    pub(crate) fn is_on_pg(&self) -> bool {
        self.flags.contains(OsdFlags::PGOP)
    }

    /// Whether being carried out twice makes no difference to anybody: then "not known" need not be said.
    pub(crate) fn is_harmless(&self) -> bool {
        !self.is_write() && self.ops.iter().all(|op| !matches!(op.code, OpCode::NOTIFY | OpCode::CALL))
    }

    /// Bytes it carries, or asks for as far as it says.
    pub(super) fn cost(&self) -> u64 {
        self.ops.iter().fold(self.data.len() as u64, |sum, op| match op.code {
            OpCode::READ | OpCode::SPARSE_READ => sum.saturating_add(op.extent().length),
            _ => sum,
        })
    }
}

/// Names a request of this client for as long as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OpId(pub(crate) u64);

/// What errors say of a request.
#[derive(Debug, PartialEq)]
pub(crate) struct Asked {
    /// The object.
    pub(crate) object: Bytes,
    /// Bytes the request carried.
    pub(crate) size: u64,
}

impl From<Request> for Asked {
    fn from(request: Request) -> Self {
        Self { object: request.object, size: request.data.len() as u64 }
    }
}

/// How a request ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The OSD answered, success or not.
    Replied(Said),
    /// Certainly not done.
    NotDone(Duration, Waiting),
    /// Sent, and no answer.
    Unknown(Duration, Waiting),
    /// Not sent, for there is no room.
    Full(Waiting),
    /// There is no such pool.
    NoPool,
    /// Certainly not done: the pool fails all requests.
    PoolEio(Waiting),
    /// Certainly not done: the OSD is too old for the request, or no peer takes one that long.
    Unsendable(crate::msg::MessageError),
}

/// When a request was begun, and when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) began: Instant,
    pub(super) until: Option<Instant>,
}

impl Patience {
    pub(super) fn new(now: Instant, within: Option<Duration>) -> Self {
        Self { began: now, until: within.and_then(|within| now.checked_add(within)) }
    }
}
