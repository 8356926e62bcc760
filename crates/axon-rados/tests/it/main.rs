//! Integration tests, one binary.

mod decoders;
mod monitors;
mod objects;
mod vectors;
