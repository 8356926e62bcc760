//! What is in pools.

use super::{NoOutput, Query};
use crate::mon::error::Request;
use crate::msg::{Fsid, MGetPoolStats, MGetPoolStatsReply, MessageError, PoolStats, TypedMessage};
use axon_denc::Features;
use axon_wire::Message;
use std::collections::BTreeMap;

/// The statistics of the pools with these names.
#[derive(Debug)]
pub(in crate::mon) struct StatsOfPools(pub(in crate::mon) Vec<String>);

impl Query for StatsOfPools {
    type Output = BTreeMap<String, PoolStats>;
    const REPLY: u16 = MGetPoolStatsReply::KIND;

    fn request(&self) -> Request {
        Request::PoolStats
    }

    fn message(&self, _tid: u64, fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        MGetPoolStats { fsid, pools: self.0.clone() }.encode(features)
    }

    fn read(&self, reply: &Message) -> Result<Self::Output, NoOutput> {
        Ok(MGetPoolStatsReply::decode(reply)?.pools)
    }
}
