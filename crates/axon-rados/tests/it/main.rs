//! Integration tests, one binary.

mod decoders;
mod failover;
mod lossless;
mod monitors;
mod objects;
mod pool_messages;
mod pools;
mod toy_monitors;
mod vectors;
