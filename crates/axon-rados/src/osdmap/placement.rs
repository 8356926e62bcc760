//! From objects to OSDs.

use super::{MapError, OsdId, OsdMap};
use crate::osd::{ObjectLocator, PgId};

/// Where an object belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectPg {
    /// The pool and the object's whole hash: the "raw" placement group, which requests carry.
    pub raw: PgId,
    /// The placement group.
    pub pg: PgId,
}

/// The OSDs of a placement group. In erasure-coded pools the place is the shard, and `None` is a shard that nobody has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UpActing {
    /// Those that should serve it.
    pub up: Vec<Option<OsdId>>,
    /// The one of them that should lead.
    pub up_primary: Option<OsdId>,
    /// Those that serve it now.
    pub acting: Vec<Option<OsdId>>,
    /// The one that leads now, which gets the requests.
    pub acting_primary: Option<OsdId>,
}

impl OsdMap {
    /// The placement group of the object `name` (or of the locator's key or hash, where it has one).
    ///
    /// # Errors
    /// [`MapError::NoPool`].
    pub fn object_to_pg(&self, locator: &ObjectLocator, name: &[u8]) -> Result<ObjectPg, MapError> {
        let _ = name;
        Err(MapError::NoPool(locator.pool))
    }

    /// The OSDs of a placement group, raw or not; nobody if there is no such pool or group.
    pub fn pg_to_up_acting(&self, pg: PgId) -> UpActing {
        let _ = pg;
        UpActing::default()
    }

    /// The OSD that gets the requests for `pg`.
    pub fn primary(&self, pg: PgId) -> Option<OsdId> {
        self.pg_to_up_acting(pg).acting_primary
    }
}
