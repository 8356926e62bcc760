//! What can be done with an object: compound operations, and what they return.
//!
//! Operations are collected in a [`ReadOp`] or a [`WriteOp`] and done together, in order, or not at all. Adding an
//! operation that returns something gives a [`Pick`], which finds its part in the answer:
//!
//! ```
//! use axon_rados::ops::{Compare, ReadOp, WriteOp};
//!
//! let mut look = ReadOp::new();
//! let stat = look.stat();
//! let head = look.read(0, 4096);
//! // let answer = io.operate_read("name", look).await?;
//! // let (stat, head) = (answer.get(stat)?, answer.get(head)?);
//!
//! let mut change = WriteOp::new();
//! change.compare_xattr("owner", Compare::Equal, "me");
//! change.write_full("new");
//! change.set_xattr("owner", "you");
//! # let _ = (stat, head);
//! ```
//!
//! Buffers are [`bytes::Bytes`]. What an operation carries becomes the request's data segment: a single buffer as it is,
//! several by joining them, so keep large data alone in its request.
//!
//! | page | operations |
//! |---|---|
//! | `data` | reading, writing, cutting |
//! | `xattr` | extended attributes |
//! | `omap` | the sorted map every object has |
//! | `class` | methods of object classes |
//! | `guard` | what must hold for the rest to be done |
//! | `watch` | watches and notifications, which have a page of their own in [`crate::client`] |
//! | `snap` | snapshots of an object |
//! | `list` | the objects of a placement group |

mod answer;
mod class;
mod compound;
mod data;
mod guard;
mod list;
mod lock;
mod omap;
mod pick;
mod snap;
mod watch;
mod xattr;

pub use answer::Answer;
pub(crate) use answer::Said;
pub(crate) use compound::{Compound, OpVec};
pub use compound::{ObjectOp, ReadOp, Reading, WriteOp, Writing};
pub use data::{AllocHint, Extents, Stat};
pub use guard::{Compare, Operand};
pub(crate) use list::list_op;
pub use list::{ListPage, Listed};
pub use lock::{Lock, LockHolder, LockInfo, LockKind};
pub use omap::{OmapKeys, OmapVals};
pub use pick::Pick;
pub use snap::{CloneInfo, SnapSet};
pub use watch::Watcher;
pub(crate) use watch::{NotifyReply, WatchCall};
