//! What the messages of an OSD are made of: operations, placement groups, locators, request ids, versions.

mod locator;
mod op;
mod pg;
mod reqid;
mod version;

pub(crate) use locator::LocatorView;
pub use locator::ObjectLocator;
pub use op::{Extent, OpCode, OsdFlags, OsdOp};
pub use pg::{PgId, SpgId};
pub use reqid::ReqId;
pub use version::EVersion;

/// The snapshot id of an object's present state (`CEPH_NOSNAP`).
pub const NO_SNAP: u64 = u64::MAX - 1;
