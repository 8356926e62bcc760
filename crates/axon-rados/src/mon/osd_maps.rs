//! OSD maps on their way from the monitors to whoever keeps the map.

use super::core::Core;
use crate::msg::{MOSDMap, MessageError, TypedMessage};
use axon_denc::AddrVec;
use axon_messenger::Connection;
use axon_wire::Message;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the monitors call the OSD map.
pub(super) const OSDMAP: &str = "osdmap";

/// Takes a message of maps of the monitor at an address, or why there is none in it, and returns the epoch applied last, 0
/// if there is none yet.
type Keep = Box<dyn FnMut(&AddrVec, Result<MOSDMap, MessageError>) -> u32 + Send>;

/// Where OSD maps go.
///
/// Its lock is taken before the session's, and held while maps are applied: maps of an earlier session with a monitor
/// never overtake, nor follow, those of the present one.
#[derive(Default)]
pub(super) struct OsdMaps(Mutex<Option<Keep>>);

impl OsdMaps {
    /// From now on maps go there.
    pub(super) fn set(&self, keep: Keep) {
        *self.lock() = Some(keep);
    }

    /// Takes a message of maps; `false` if nobody here wants it.
    pub(super) fn take(&self, core: &Core, connection: &Connection, message: &Message) -> bool {
        let mut keep = self.lock();
        let Some(keep) = &mut *keep else { return false };
        let current = core.with_link(connection, |session, link| session.is_open(link));
        match current {
            Some(true) => {
                let applied = keep(&connection.peer_addrs(), MOSDMap::decode(message));
                if applied > 0 {
                    core.with(|session| session.got(OSDMAP, applied.into()));
                }
            }
            Some(false) => {} // of a connection that no longer counts
            None => return false,
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Option<Keep>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
