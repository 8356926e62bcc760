//! RADOS: the messages of Ceph's object store as types, the configuration that says where a cluster is, and the session
//! with its monitors.
//!
//! - [`msg`]: typed messages, each able to become an [`axon_wire::Message`] and to be read from one;
//! - [`osd`]: what the messages of an OSD are made of;
//! - [`conf`]: `ceph.conf`, keyrings, and where the monitors are;
//! - [`MonMap`]: the monitors, as they say themselves;
//! - [`mon`]: the session with them;
//! - [`osdmap`]: which OSDs and pools there are, and where each object is;
//! - [`client`]: [`Rados`], the session with a cluster, and [`IoCtx`], what is done with the objects of a pool;
//! - [`ops`]: what can be done with an object;
//! - [`crush`]: how placement groups become OSDs.
//!
//! ```
//! use axon_messenger::Features;
//! use axon_rados::msg::{MMonCommand, TypedMessage};
//!
//! let question = MMonCommand::new(Default::default(), r#"{"prefix": "status"}"#, Default::default());
//! let message = question.encode(Features::ALL_REEF)?;
//! assert_eq!(message.header.kind, MMonCommand::KIND);
//! assert_eq!(MMonCommand::decode(&message)?, question);
//! # Ok::<(), axon_rados::msg::MessageError>(())
//! ```
#![forbid(unsafe_code)]

pub mod client;
pub mod conf;
pub mod crush;
mod features;
pub mod mon;
mod monmap;
pub mod msg;
mod objecter;
pub mod ops;
pub mod osd;
pub mod osdmap;

pub use client::{IoCtx, Rados};
pub use features::FEATURES;
pub use monmap::{MonInfo, MonMap};
