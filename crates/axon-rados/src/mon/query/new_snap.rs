//! Numbers for self-managed snapshots.

use super::{NoOutput, PoolChange, Query};
use crate::mon::error::Request;
use crate::mon::{NewSnapshot, PoolOp};
use crate::msg::{Fsid, MPoolOpReply, MessageError, TypedMessage};
use axon_denc::{Decode, Features};
use axon_wire::Message;

/// A number for a self-managed snapshot of the pool with this number.
#[derive(Debug)]
pub(in crate::mon) struct NewSnap(pub(in crate::mon) u32);

impl NewSnap {
    fn change(&self) -> PoolChange {
        PoolChange(PoolOp::CreateSelfManagedSnap { pool: self.0 })
    }
}

impl Query for NewSnap {
    type Output = NewSnapshot;
    const REPLY: u16 = PoolChange::REPLY;

    fn request(&self) -> Request {
        self.change().request()
    }

    fn message(&self, tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        self.change().message(tid, fsid, features)
    }

    fn read(&self, reply: &Message) -> Result<NewSnapshot, NoOutput> {
        let output = self.change().read(reply)?;
        let snap = u64::from_bytes(&output.data).map_err(MPoolOpReply::malformed)?;
        Ok(NewSnapshot { snap, epoch: output.epoch })
    }
}
