//! Real Ceph peers for Axon's tests: clusters, the messenger benchmark of the C++ implementation,
//! a recording proxy, recorded conversations, and an oracle for encodings.
//!
//! Every release is unpacked from Debian's packages into a folder of its own ([`Tree`]) and run from
//! there by its own dynamic loader: no root, no container, nothing installed on the machine.
//! `cargo xtask peers` unpacks them once. A test that needs a peer which is not there fails and says so;
//! it never skips.
//!
//! Nothing outlives a test run: each process started here is killed by the kernel when this process
//! ends, whatever way it ends, and each scratch folder is removed ([`Scratch`]).
//! `AXON_KEEP=1` keeps the folders, with the daemons' logs, for a look afterwards.
#![forbid(unsafe_code)]

mod cluster;
mod conversation;
mod dencoder;
mod error;
mod listening;
mod maps;
mod perf;
mod port;
mod process;
mod redirect;
mod release;
mod scratch;
mod tap;
mod tree;

pub mod prepare;

pub use cluster::{Auth, Cluster, ClusterBuilder, DaemonAddr, Mode, Monitor};
pub use conversation::{Conversation, Direction, Vector, unhex};
pub use dencoder::{Dencoder, OracleMessage};
pub use error::TestbedError;
pub use maps::{MapTools, Mapping};
pub use perf::{Load, Perf, PerfClient, PerfResult, PerfServer};
pub use port::free_port;
pub use process::{Process, Run, run, spawn};
pub use release::Release;
pub use scratch::Scratch;
pub use tap::{Banner, Tap};
pub use tree::Tree;
