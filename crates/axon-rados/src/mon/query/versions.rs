//! How new maps are.

use super::{NoOutput, Query};
use crate::mon::MapVersions;
use crate::mon::error::Request;
use crate::msg::{Fsid, MMonGetVersion, MMonGetVersionReply, MessageError, TypedMessage};
use axon_denc::Features;
use axon_wire::Message;

/// The versions of the map with this name.
#[derive(Debug)]
pub(in crate::mon) struct Versions(pub(in crate::mon) String);

impl Query for Versions {
    type Output = MapVersions;
    const REPLY: u16 = MMonGetVersionReply::KIND;

    fn request(&self) -> Request {
        Request::Version(self.0.clone())
    }

    fn message(&self, tid: u64, _fsid: Fsid, features: Features) -> Result<Message, MessageError> {
        MMonGetVersion { handle: tid, what: self.0.clone() }.encode(features)
    }

    fn read(&self, reply: &Message) -> Result<MapVersions, NoOutput> {
        let MMonGetVersionReply { newest, oldest, .. } = MMonGetVersionReply::decode(reply)?;
        Ok(MapVersions { newest, oldest })
    }
}
