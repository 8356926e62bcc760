//! What the messages of an OSD are made of: operations, placement groups, locators, object names with their place in
//! the order of objects, request ids, versions.

mod flags;
mod hobject;
mod locator;
mod op;
mod op_code;
mod pg;
mod reqid;
mod version;

pub use flags::{OpFlags, OsdFlags};
pub use hobject::HObject;
pub(crate) use locator::LocatorView;
pub use locator::ObjectLocator;
pub use op::{Extent, OsdOp};
pub use op_code::OpCode;
pub use pg::{PgId, SpgId};
pub use reqid::ReqId;
pub use version::EVersion;

/// The snapshot id of an object's present state (`CEPH_NOSNAP`).
pub const NO_SNAP: u64 = u64::MAX - 1;

/// Stands for an object's set of snapshots, when they are asked for (`CEPH_SNAPDIR`).
pub const SNAP_DIR: u64 = u64::MAX;
