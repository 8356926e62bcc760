//! Changes of pools.

use super::{NoOutput, Query};
use crate::mon::PoolOp;
use crate::mon::PoolOpOutput;
use crate::mon::error::Request;
use crate::msg::{Fsid, MPoolOp, MPoolOpReply, MessageError, TypedMessage};
use axon_denc::Features;
use axon_wire::Message;

/// A change of a pool.
#[derive(Debug)]
pub(in crate::mon) struct PoolChange(pub(in crate::mon) PoolOp);

impl Query for PoolChange {
    type Output = PoolOpOutput;
    const REPLY: u16 = MPoolOpReply::KIND;

    fn request(&self) -> Request {
        Request::PoolOp(self.0.clone())
    }

    fn message(&self, _tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        let (op, snap, name) = self.0.parts();
        let pool = self.0.pool();
        MPoolOp { fsid, pool, op, snap, name: name.to_owned(), crush_rule: 0 }.encode(features)
    }

    fn read(&self, reply: &Message) -> Result<PoolOpOutput, NoOutput> {
        let reply = MPoolOpReply::decode(reply)?;
        match reply.result {
            code if code < 0 => Err(NoOutput::Refused(code, String::new())),
            _ => Ok(PoolOpOutput { epoch: reply.epoch, data: reply.data }),
        }
    }
}
