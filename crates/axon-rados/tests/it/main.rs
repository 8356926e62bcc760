//! Integration tests, one binary.

mod decoders;
mod failover;
mod lossless;
mod monitors;
mod objects;
mod pools;
mod vectors;
