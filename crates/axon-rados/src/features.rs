//! What this crate tells monitors and OSDs that it can read.

use axon_denc::Features;

/// The features offered to monitors and OSDs: everything a daemon of Tentacle (20) has.
///
/// A bit is a promise to read what its peers then send. Beyond those of Reef (18) these are:
///
/// | bits | what follows |
/// |---|---|
/// | `SERVER_TENTACLE` | pools of OSD maps name the shards that never lead (version 32). Without it, what stands in for a group of an optimised erasure-coded pool is read in the wrong order, and requests go to the wrong shard |
/// | `SERVER_SQUID` | requests to OSDs carry a trace, which is written as "none" (`MOSDOp` version 9) |
/// | 38, 44, 45 | nothing that a monitor sends to a client: they change no byte of a map |
///
/// Ceph: `SIGNIFICANT_FEATURES` in `src/osd/OSDMap.h`, `pg_pool_t::encode` in `src/osd/osd_types.cc`,
/// `src/messages/MOSDOp.h`.
pub const FEATURES: Features = Features::ALL_TENTACLE;
