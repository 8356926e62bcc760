//! Clients of a real Ceph cluster side by side: `axon rados bench`, `rados bench` of librados, and rados-rs.
//!
//! ```text
//! load     what is done: reads or writes, sizes, depths                   (a table)
//! client   who: how each is started, and what it prints
//! bed      the cluster, with the objects that are read
//! race     every load, its clients in turn, round after round
//! bars     which ratio each figure has to reach
//! ```
//!
//! The cluster is one monitor and one OSD that keeps its objects in memory, one copy each, so that the clients are as
//! large a part of the whole as they can be. All clients read sets of as many objects of the same size, each its own,
//! at random; each write makes a new object. `rados bench` is told not to compare what it reads, as the others do not.

mod bars;
mod bed;
mod client;
mod load;
mod race;

pub(crate) use bars::judge;
pub(crate) use bed::Bed;
pub(crate) use client::{CLIENTS, Client, ClientProfile};
pub(crate) use load::Load;
pub(crate) use race::{Entries, Entry, Race};
