//! The protocol's own machines in a small world of their own: virtual time, a faulty network, processes that restart,
//! and checkers that are always on. Everything follows from a seed, or from a list of choices.
//!
//! | what | module |
//! |---|---|
//! | nodes, connections, sockets, and what may happen next | [`World`] |
//! | what applications asked for against what they got | [`Ledger`] |
//! | a seed: a world, its weather and its misfortunes | [`Plan`] |
//! | many seeds | [`sweep`](mod@sweep) |
//! | every interleaving in small worlds | [`explore`] |
//! | broken rules, to see whether the above notice | [`mutation`] |
//!
//! The driver in [`World`] is the messenger's, without threads and sockets: the same registry rules, the same order of
//! steps between a machine and its socket.
#![forbid(unsafe_code)]

mod caught;
mod cheap;
mod cluster;
pub mod coverage;
pub mod explore;
mod label;
mod ledger;
pub mod mutation;
mod node;
mod peer;
mod pipe;
mod plan;
mod random;
pub mod rows;
mod setup;
mod socket;
pub mod sweep;
mod trace;
mod violation;
mod weather;
mod world;

pub use label::Label;
pub use ledger::{Entry, Fate, Ledger};
pub use node::Node;
pub use peer::{Counts, Peer, letter};
pub use pipe::Edge;
pub use plan::{Failure, Plan, Summary};
pub use random::Random;
pub use setup::{Kind, Setup};
pub use trace::{LEGEND, Trace};
pub use violation::Violation;
pub use weather::Weather;
pub use world::{Action, Claim, Cut, Letter, World};

/// A connection's place in its world; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub usize);
