//! Integration tests, one binary.

mod decoders;
mod lossless;
mod monitors;
mod objects;
mod vectors;
