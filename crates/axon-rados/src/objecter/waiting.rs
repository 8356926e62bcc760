//! What a request waits for.

use crate::osd::PgId;
use crate::osdmap::MapFault;
use std::fmt;

/// What a request waits for, or waited for when its time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// Others in flight take up the budget.
    Budget,
    /// There is no OSD map yet.
    Map,
    /// An OSD map that can be read: those that came since cannot.
    ReadableMap(MapFault),
    /// The pool is not in this OSD map; the monitors are asked for the newest.
    Pool(i64),
    /// Reads or writes are paused (`ceph osd set pause`).
    Paused,
    /// The cluster is full.
    ClusterFull,
    /// The pool is full, or its quota is used up.
    PoolFull(i64),
    /// Nothing: the pool is marked eio, which fails all its requests.
    PoolEio(i64),
    /// No OSD serves the placement group.
    Primary(PgId),
    /// There is no connection to the OSD yet.
    Connection(u32),
    /// What the OSD says makes no sense.
    Sense(u32),
    /// The OSD asked for patience with these objects.
    Backoff(u32),
    /// The OSD said to try again.
    Again,
    /// The OSD's answer.
    Answer(u32),
    /// Nothing any more: the monitors have banned this client.
    Blocklisted,
    /// Nothing any more: the OSD that serves the object now cannot be sent the request, which says nothing of earlier attempts.
    Unsendable,
    /// Nothing any more: the OSD did not permit the last attempt, which says nothing of earlier ones.
    NotPermitted,
}

impl Waiting {
    /// What it is while the maps that came since cannot be read: whatever only a newer map can end is due to that.
    pub(super) fn given(self, damage: Option<MapFault>) -> Self {
        match (self, damage) {
            (
                Self::Map
                | Self::Pool(_)
                | Self::Paused
                | Self::ClusterFull
                | Self::PoolFull(_)
                | Self::Primary(_),
                Some(fault),
            ) => Self::ReadableMap(fault),
            (why, _) => why,
        }
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget => f.write_str("other operations in flight use up the budget"),
            Self::Map => f.write_str("there is no OSD map: no monitor has sent one"),
            Self::ReadableMap(fault) => write!(f, "the newest OSD maps cannot be read: {fault}"),
            Self::Pool(pool) => write!(f, "pool {pool} is not in the OSD map"),
            Self::Paused => f.write_str("the cluster is paused ('ceph osd unset pause' ends that)"),
            Self::ClusterFull => f.write_str("the cluster is full: nothing can be written"),
            Self::PoolFull(pool) => write!(f, "pool {pool} is full, or its quota is used up"),
            Self::PoolEio(pool) => write!(
                f,
                "pool {pool} is marked eio, which fails all its requests ('ceph osd pool set <pool> eio false' ends that)"
            ),
            Self::Primary(pg) => write!(f, "no OSD serves placement group {pg}: too few of them are up"),
            Self::Connection(osd) => write!(f, "no connection to osd.{osd}"),
            Self::Sense(osd) => write!(f, "what osd.{osd} sends makes no sense"),
            Self::Backoff(osd) => {
                write!(
                    f,
                    "osd.{osd} asked to wait: the object's placement group is not ready, or is recovering it"
                )
            }
            Self::Again => f.write_str("the OSD said to try again"),
            Self::Answer(osd) => write!(f, "no answer from osd.{osd}"),
            Self::Unsendable => f.write_str(
                "the OSD that serves it now cannot be sent it (it is too old, or the request too long), an earlier attempt may have been done",
            ),
            Self::NotPermitted => f.write_str(
                "the last attempt was not permitted (the key's capabilities do not allow it), an earlier one may have been",
            ),
            Self::Blocklisted => f.write_str("this client was blocklisted after the operation was sent"),
        }
    }
}
