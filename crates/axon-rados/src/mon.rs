//! The session with the monitors: commands, subscriptions, tickets and keys.
//!
//! ```no_run
//! use axon_rados::conf::{Conf, Host};
//! use axon_rados::mon::{MonClient, MonConfig};
//!
//! let conf = Conf::find(Host::current())?;
//! let name = "client.admin".parse()?;
//! let mon = MonClient::connect(MonConfig::from_conf(&conf.of(&name))?)?;
//! let answer = mon.command(r#"{"prefix": "status"}"#, Default::default())?;
//! println!("{}", String::from_utf8_lossy(&answer.output));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Several monitors are tried at a time ([`MonConfig::hunt_parallel`]), and the session is with the first one that sends
//! its monitor map: one that is slow, silent or without a quorum delays nobody while another one serves. If the session
//! breaks, another one is found, and requests that wait for an answer are sent again: a command may be carried out
//! twice, for which Ceph's commands are made. Answers have deadlines, which count from the question, whether there is a
//! session or not; an error says which monitor was asked and what became of the attempts with the others.
//!
//! | piece | what it does |
//! |---|---|
//! | [`MonConfig`] | what is needed to log in, from a configuration or by hand |
//! | [`MonClient`] | the handle |
//! | `pools`, `blocklist` | changes of the cluster that clients ask for |
//! | `session` | the rules: which monitor, what to send again, what is overdue; no sockets, no clock |
//! | `hunt` | in which order monitors are tried, how many at a time, and the pauses |
//! | `logins` | who logs in, and which of several logins counts |
//! | `renewal` | when tickets and rotating secrets are due |
//! | `query` | the questions with messages of their own |
//! | `osd_maps` | OSD maps on their way to whoever keeps the map |
//! | `core`, `keeper` | the rules applied to a messenger: its callbacks, and a thread for what is due |

mod blocklist;
mod client;
mod config;
mod core;
mod dispatcher;
mod error;
mod hunt;
mod keeper;
mod logins;
mod osd_maps;
mod pending;
mod pool_op;
mod pools;
mod query;
mod renewal;
mod session;
mod target;

pub use axon_messenger::system_surroundings;
pub use client::MonClient;
pub use config::MonConfig;
pub use dispatcher::Ignore;
pub use error::{Attempt, Failure, MonError, Request};
pub use pending::Pending;
pub use pool_op::{PoolOp, PoolOpOutput};
pub use pools::{NewSnapshot, PoolSpec};
pub use target::Target;

use bytes::Bytes;

/// The monitors' answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// 0, or a negative errno.
    pub code: i32,
    /// What a person is told; empty if there is nothing to say.
    pub status: String,
    /// What the command prints.
    pub output: Bytes,
}

/// Which versions of a map the monitors have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapVersions {
    /// The newest.
    pub newest: u64,
    /// The oldest they keep.
    pub oldest: u64,
}
