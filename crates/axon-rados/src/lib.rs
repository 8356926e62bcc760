//! RADOS: the messages of Ceph's object store as types, the configuration that says where a cluster is, and the session
//! with its monitors.
//!
//! - [`msg`]: typed messages, each able to become an [`axon_wire::Message`] and to be read from one;
//! - [`osd`]: what the messages of an OSD are made of.
#![forbid(unsafe_code)]

pub mod msg;
pub mod osd;
