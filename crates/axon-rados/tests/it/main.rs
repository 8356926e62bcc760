//! Integration tests, one binary.

mod decoders;
mod vectors;
