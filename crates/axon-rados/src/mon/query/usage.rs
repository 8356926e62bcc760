//! How full the cluster is.

use super::{NoOutput, Query};
use crate::mon::error::Request;
use crate::msg::{Fsid, MStatFs, MStatFsReply, MessageError, StatFs, TypedMessage};
use axon_denc::Features;
use axon_wire::Message;

/// The usage of the cluster, or of one pool.
#[derive(Debug)]
pub(in crate::mon) struct Usage(pub(in crate::mon) Option<u64>);

impl Query for Usage {
    type Output = StatFs;
    const REPLY: u16 = MStatFsReply::KIND;

    fn request(&self) -> Request {
        Request::StatFs
    }

    fn message(&self, _tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        MStatFs { fsid, pool: self.0 }.encode(features)
    }

    fn read(&self, reply: &Message) -> Result<StatFs, NoOutput> {
        Ok(MStatFsReply::decode(reply)?.usage)
    }
}
