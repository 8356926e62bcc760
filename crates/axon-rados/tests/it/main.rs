//! Integration tests, one binary.

mod crush;
mod decoders;
mod examples;
mod failover;
mod lossless;
mod map_damage;
mod monitors;
mod not_sent;
mod objects;
mod osdmap;
mod pool_messages;
mod pools;
mod rados;
mod toy_monitors;
mod vectors;
