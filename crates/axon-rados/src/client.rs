//! The cluster's objects: [`Rados`] is the session, [`IoCtx`] what is done in a pool.
//!
//! ```no_run
//! use axon_rados::Rados;
//! use axon_rados::client::RadosConfig;
//! use axon_rados::conf::{Conf, Host};
//! use axon_rados::mon::MonConfig;
//! use axon_rados::ops::WriteOp;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let conf = Conf::find(Host::current())?;
//! let name = "client.admin".parse()?;
//! let rados = Rados::connect(RadosConfig::new(MonConfig::from_conf(&conf.of(&name))?))?;
//! let io = rados.pool("data")?;
//! io.write_full("greeting", "hello").wait()?;
//!
//! let mut op = WriteOp::new();
//! op.create(true).append("first").set_xattr("by", "me");
//! io.operate("log", op).wait()?; // or .await, under any runtime
//! # Ok(())
//! # }
//! ```
//!
//! An operation begins when its function is called, not when it is first awaited, and those on one object are done in
//! the order of the calls; only a read that was under way when a connection broke is sent again, and may then see what
//! operations begun after it wrote. Dropping the future cancels: what was not sent never is, what was sent is not sent again.
//!
//! What is known after an error is said by its variant: see [`RadosError`].
//!
//! | piece | what it does |
//! |---|---|
//! | [`Rados`], [`RadosConfig`] | the session with the cluster |
//! | [`IoCtx`] | a pool, a namespace, snapshots; `simple` has the everyday operations |
//! | [`Op`] | an operation that was begun |
//! | [`Watch`] | a watch; [`Notified`] is what a notification led to |
//! | [`ObjectList`] | the objects of a pool, page by page |
//! | [`MapDamage`] | OSD maps that cannot be read |
//! | `core`, `keeper` | the rules of the objecter applied to a messenger |

mod answer;
mod call;
mod config;
mod core;
mod deed;
mod dispatcher;
mod errno;
mod error;
mod io;
mod keeper;
mod list;
mod map_damage;
mod map_wait;
mod pool;
mod session;
mod simple;
mod slot;
mod watch;

pub use crate::objecter::{SnapContext, Waiting, WhenFull};
pub use call::Op;
pub use config::RadosConfig;
pub use errno::Errno;
pub use error::RadosError;
pub use io::IoCtx;
pub use list::{Cursor, ObjectList};
pub use map_damage::{MapDamage, OnMapDamage};
pub use session::Rados;
pub use watch::{Notified, Notifying, Watch, WatchEvent};
