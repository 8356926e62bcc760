//! Integration tests, one binary.

mod crush;
mod decoders;
mod failover;
mod lossless;
mod monitors;
mod objects;
mod osdmap;
mod pool_messages;
mod pools;
mod rados;
mod toy_monitors;
mod vectors;
